import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Delete, Get, Module, NotFoundException, Param, Post, Query, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Type } from 'class-transformer';
import { IsEmail, IsOptional, ValidateNested } from 'class-validator';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnv } from '../../config/read-env.js';
import { Problem } from '../../shared/problem.js';
import { createApp } from './create-app.js';
import type { RequestWithBytes } from './json-body.js';
import { ListQueryDto } from './list-query.dto.js';
import { IsMetadata, IsMinorAmount } from './validators.js';

const PAN = '4111111111111111';
const ADMIN_KEY = 'pak_0123456789abcdefghij';

class CustomerDto {
  @IsEmail()
  email!: string;
}

class OrderDto {
  @IsMinorAmount()
  amount!: number;

  @IsOptional() @IsMetadata()
  metadata?: Record<string, string>;

  @IsOptional() @ValidateNested() @Type(() => CustomerDto)
  customer?: CustomerDto;
}

@Controller('v1')
class OrdersController {
  @Post('orders')
  create(@Body() body: OrderDto) {
    return { isDto: body instanceof OrderDto && body.customer instanceof CustomerDto };
  }

  @Post('bytes')
  bytes(@Req() request: RequestWithBytes) {
    return { bytes: request.rawBody?.toString('base64') ?? null };
  }

  @Get('orders')
  list(@Query() query: ListQueryDto) {
    return { start: query.pageStart() };
  }

  @Delete('orders/:id')
  remove(@Param('id') id: string, @Body() body: unknown) {
    return { id, body: body ?? null };
  }

  @Get('fails/:how')
  async fail(@Param('how') how: string): Promise<never> {
    await sleep(1);
    switch (how) {
      case 'problem': throw new Problem('duplicate_reference', 'It is taken.', { extra: { existingId: 'ord_1' } });
      case 'busy': throw new Problem('idempotency_key_in_use', 'Still running.', { retryAfterSeconds: 2.5 });
      case 'keyless': throw new Problem('unauthorized', 'Send a key.');
      case 'not-found': throw new NotFoundException(`no ${PAN}`);
      case 'database': throw new Error('flush failed', { cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', fatal: true }) });
      case 'queue': throw new Error('Queue limit reached.');
      case 'deadlock': throw Object.assign(new Error('Deadlock found'), { errno: 1213, code: 'ER_LOCK_DEADLOCK' });
      case 'undefined': throw undefined as unknown as Error;
      default: throw Object.assign(new Error(`select * from secrets where pan = '${PAN}' and key = '${ADMIN_KEY}'`), { sql: 'select 1' });
    }
  }
}

@Module({ controllers: [OrdersController] })
class TestModule {}

let app: NestFastifyApplication;
const logs = mkdtempSync(join(tmpdir(), 'smartpay-logs-'));
const env = readEnv({
  DATABASE_URL: 'mysql://root:databasepassword@127.0.0.1/none', PLATFORM_ADMIN_KEY: ADMIN_KEY, ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
  LOG_CAPTURE_DIR: logs,
});

beforeAll(async () => {
  app = await createApp({ module: TestModule }, env);
  await app.init();
});
afterAll(async () => {
  await app.close();
  rmSync(logs, { recursive: true });
});

type ProblemBody = { type: string; title: string; status: number; detail: string; instance: string; code: string; traceId: string; errors?: { field: string; message: string }[]; existingId?: string };
type Sent = { method?: 'GET' | 'POST' | 'DELETE' | 'PATCH' | 'PUT'; url: string; body?: unknown; headers?: Record<string, string> };

async function ask<Answer = ProblemBody>({ method, url, body, headers = {} }: Sent) {
  const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const answer = await app.inject({
    method: method ?? (payload === undefined ? 'GET' : 'POST'), url,
    headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...(payload === undefined ? {} : { payload }),
  });
  return { status: answer.statusCode, headers: answer.headers, text: answer.payload, body: (answer.payload === '' ? {} : JSON.parse(answer.payload)) as Answer };
}

function logLines(): Record<string, unknown>[] {
  return readdirSync(logs).flatMap((file) => readFileSync(join(logs, file), 'utf8').trim().split('\n')).filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('an error', () => {
  it('is a problem of RFC 9457 with code, trace and the members of its own', async () => {
    const { status, headers, body } = await ask({ url: '/v1/fails/problem?x=1' });
    expect(status).toBe(409);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(body).toEqual({
      type: 'urn:smartpay:problem:duplicate_reference', title: 'The reference is taken', status: 409, detail: 'It is taken.', instance: '/v1/fails/problem',
      code: 'duplicate_reference', traceId: headers['x-trace-id'], existingId: 'ord_1',
    });
  });

  it('says when to come back, rounded up to whole seconds', async () => {
    expect((await ask({ url: '/v1/fails/busy' })).headers['retry-after']).toBe('3');
  });

  it('without a key names the scheme', async () => {
    expect(await ask({ url: '/v1/fails/keyless' })).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' }, body: { code: 'unauthorized' } });
  });

  it.each(['anyhow', 'undefined'])('of ours tells nothing of itself (%s)', async (how) => {
    const { status, body, text } = await ask({ url: `/v1/fails/${how}` });
    expect({ status, code: body.code }).toEqual({ status: 500, code: 'internal' });
    for (const secret of [PAN, ADMIN_KEY, 'select', 'Error', 'stack', '.ts']) expect(text).not.toContain(secret);
    expect(logLines().find(({ traceId, level }) => traceId === body.traceId && level === 'error')).toMatchObject({ code: 'internal', alert: true, err: expect.anything() as unknown });
  });

  it.each(['database', 'queue', 'deadlock'])('of the database is temporary (%s)', async (how) => {
    const { status, headers, body, text } = await ask({ url: `/v1/fails/${how}` });
    expect({ status, code: body.code, after: headers['retry-after'] }).toEqual({ status: 503, code: 'unavailable', after: '1' });
    expect(text).not.toMatch(/ECONN|Queue|Deadlock/);
  });

  it('that Nest throws is told by its status only', async () => {
    const { status, body, text } = await ask({ url: '/v1/fails/not-found' });
    expect({ status, code: body.code }).toEqual({ status: 404, code: 'not_found' });
    expect(text).not.toContain(PAN);
  });
});

describe('a route', () => {
  it.each(['/nowhere', '/v1/nowhere?x=1', '/v1/orders/', '/'])('that does not exist is a problem (%s)', async (url) => {
    expect(await ask({ url })).toMatchObject({ status: 404, body: { code: 'route_not_found', instance: url.split('?')[0] } });
  });

  it.each(['/v1/orders/%E0%A4%A', `/v1/orders/${'x'.repeat(200)}`])('that cannot be one is as unknown (%#)', async (url) => {
    const { status, headers, body } = await ask({ method: 'DELETE', url });
    expect({ status, code: body.code, trace: headers['x-trace-id'] }).toEqual({ status: 404, code: 'route_not_found', trace: body.traceId });
  });

  it('asked with a method it does not take names those it takes', async () => {
    expect(await ask({ method: 'PUT', url: '/v1/orders', body: {} })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, POST' }, body: { code: 'method_not_allowed' } });
    expect(await ask({ method: 'PATCH', url: '/v1/orders/ord_1' })).toMatchObject({ status: 405, headers: { allow: 'DELETE' } });
  });

  it('answers with headers that keep it out of caches and sniffers', async () => {
    expect((await ask({ url: '/v1/orders' })).headers).toMatchObject({
      'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin', 'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
  });
});

describe('a body', () => {
  it.each<[string, Sent, number, string]>([
    ['that is not JSON', { url: '/v1/orders', body: '{"amount":' }, 400, 'malformed_json'],
    ['that is empty', { url: '/v1/orders', body: '' }, 400, 'validation_failed'],
    ['with a property twice', { url: '/v1/orders', body: '{"amount":1,"amount":2}' }, 400, 'duplicate_property'],
    ['nested 100 000 deep', { url: '/v1/orders', body: '['.repeat(100_000) + ']'.repeat(100_000) }, 400, 'json_too_deep'],
    ['with a card number', { url: '/v1/orders', body: { amount: 1, metadata: { note: `my card ${PAN}` } } }, 400, 'card_data_not_accepted'],
    ['that pollutes prototypes', { url: '/v1/orders', body: '{"amount":1,"__proto__":{"isAdmin":true}}' }, 400, 'validation_failed'],
    ['above 256 KB', { url: '/v1/orders', body: `"${'x'.repeat(256 * 1024)}"` }, 413, 'body_too_large'],
    ['that is a list', { url: '/v1/orders', body: '[]' }, 400, 'validation_failed'],
    ['that is a word', { url: '/v1/orders', body: '"amount"' }, 400, 'validation_failed'],
    ['that is null', { url: '/v1/orders', body: 'null' }, 400, 'validation_failed'],
    ['that is packed', { url: '/v1/orders', body: '{}', headers: { 'content-encoding': 'gzip' } }, 415, 'unsupported_media_type'],
    ['that is a form', { url: '/v1/orders', body: 'amount=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, 'unsupported_media_type'],
    ['that is text', { url: '/v1/orders', body: '{}', headers: { 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
    ['of no valid type', { url: '/v1/orders', body: '{}', headers: { 'content-type': 'json' } }, 415, 'unsupported_media_type'],
    ['in another charset', { url: '/v1/orders', body: '{}', headers: { 'content-type': 'application/json; charset=latin1' } }, 415, 'unsupported_media_type'],
  ])('%s is refused', async (_, sent, status, code) => {
    const answer = await ask(sent);
    expect({ status: answer.status, code: answer.body.code, trace: answer.headers['x-trace-id'] }).toEqual({ status, code, trace: answer.body.traceId });
    expect(answer.text).not.toContain(PAN);
  });

  it('of exactly 256 KB is read', async () => {
    expect((await ask({ url: '/v1/orders', body: `"${'x'.repeat(256 * 1024 - 2)}"` })).body.code).toBe('validation_failed');
  });

  it('is kept byte by byte for signatures', async () => {
    const bytes = Buffer.from('{ "a" : "é" }\n');
    const { body } = await ask<{ bytes: string }>({ url: '/v1/bytes', body: bytes, headers: { 'content-type': 'application/json; charset=UTF-8' } });
    expect(Buffer.from(body.bytes, 'base64')).toEqual(bytes);
    expect(await ask({ method: 'POST', url: '/v1/bytes' })).toMatchObject({ status: 201, body: { bytes: null } });
  });

  it('may be missing from DELETE whatever its content type says', async () => {
    expect(await ask({ method: 'DELETE', url: '/v1/orders/ord_1', headers: { 'content-type': 'application/json' } })).toMatchObject({ status: 200, body: { id: 'ord_1' } });
  });
});

describe('card data beside the body', () => {
  it.each<[string, Sent]>([
    ['query', { url: `/v1/orders?cursor=${PAN}` }], ['query.cvv', { url: '/v1/orders?cvv=123' }], ['path', { url: `/v1/fails/${PAN}` }], ['path', { url: '/v1/fails/4111%201111%201111%201111' }],
    ['Idempotency-Key', { url: '/v1/orders', headers: { 'idempotency-key': PAN } }],
  ])('is refused in the %s (%#)', async (field, sent) => {
    const answer = await ask(sent);
    expect(answer).toMatchObject({ status: 400, body: { code: 'card_data_not_accepted' } });
    expect(answer.body.errors?.[0]?.field.startsWith(field)).toBe(true);
    expect(answer.text).not.toContain(PAN);
  });

  it('never becomes a trace id', async () => {
    expect((await ask({ url: '/v1/orders', headers: { 'x-trace-id': PAN } })).headers['x-trace-id']).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('an input', () => {
  it('that is right comes through as its DTO; what is wrong is told by field', async () => {
    expect(await ask({ url: '/v1/orders', body: { amount: 1, customer: { email: 'ana@ejemplo.pe' } } })).toMatchObject({ status: 201, body: { isDto: true } });
    const wrong = await ask({ url: '/v1/orders', body: { amount: 'CANARY', surprise: 1, customer: { email: 'CANARY' } } });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(wrong.body.errors?.map(({ field }) => field).sort()).toEqual(['amount', 'customer.email', 'surprise']);
    expect(wrong.text).not.toContain('CANARY');
  });

  it('of a query is checked too', async () => {
    expect(await ask({ url: '/v1/orders?limit=2&limit=3' })).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field: 'limit' }] } });
    expect(await ask({ url: '/v1/orders?tenantId=ten_1' })).toMatchObject({ status: 400, body: { errors: [{ field: 'tenantId', message: 'is not known' }] } });
    expect(await ask({ url: '/v1/orders?cursor=x' })).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
  });
});

describe('the description of the API', () => {
  it('is served as JSON and as a page', async () => {
    const { body } = await ask<{ openapi: string; paths: Record<string, unknown>; components: { securitySchemes: unknown } }>({ url: '/docs/openapi.json' });
    expect(body).toMatchObject({ openapi: '3.0.0', components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } } });
    expect(Object.keys(body.paths)).toContain('/v1/orders');
    const page = await app.inject({ url: '/docs' });
    expect({ status: page.statusCode, type: page.headers['content-type'] }).toEqual({ status: 200, type: expect.stringContaining('text/html') as unknown });
  });
});
