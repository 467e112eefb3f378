import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, NotFoundException, Param, Post, Query, Delete, Req, Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Type } from 'class-transformer';
import { IsEmail, IsInt, IsObject, IsOptional, ValidateNested } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnv } from '../../config/env.js';
import { Problem } from '../../shared/problem.js';
import { SCRUBBED } from '../logging/log-scrubber.js';
import { createApp } from './create-app.js';
import type { RequestWithBytes } from './json-body.js';
import { ListQueryDto } from './list-query.dto.js';
import { pageOf } from './pagination.js';
import { requestWindow } from './request-context.js';
import { currentTraceId } from './trace.js';
import { IsCurrencyCode, IsMetadata, IsMinorAmount, IsText, IsVisibleAscii } from './validators.js';

const PAN = '4111111111111111';
const ADMIN_KEY = 'pak_0123456789abcdefghij';

class CustomerDto {
  @IsEmail()
  email!: string;
}

class OrderDto {
  @IsMinorAmount()
  amount!: number;

  @IsOptional() @IsCurrencyCode()
  currency?: string;

  @IsOptional() @IsText(5)
  reference?: string;

  @IsOptional() @IsVisibleAscii(255)
  token?: string;

  @IsOptional() @IsMetadata()
  metadata?: Record<string, string>;

  @IsOptional() @IsInt()
  installments?: number;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => CustomerDto)
  customer?: CustomerDto;
}

@Controller('v1')
class OrdersController {
  private readonly logger = new Logger(OrdersController.name);

  @Post('orders')
  create(@Body() body: OrderDto) {
    return { isDto: body instanceof OrderDto, body };
  }

  @Post('bytes')
  bytes(@Req() request: RequestWithBytes) {
    return { bytes: request.rawBody?.toString('base64') ?? null, remainingMs: requestWindow(request).remainingMs() };
  }

  @Get('orders')
  list(@Query() query: ListQueryDto) {
    const all = Array.from({ length: 5 }, (_, i) => ({ createdAt: new Date(5_000 - i), id: `ord_${i}` }));
    const start = query.pageStart();
    const rest = start === null ? all : all.filter(({ createdAt }) => createdAt < start.createdAt);
    return { ...pageOf(rest.slice(0, query.pageSize() + 1), query.pageSize(), (row) => row, ({ id }) => id), from: query.instant(query.from, 'from') ?? null };
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
      case 'database': throw new Error('flush failed', { cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) });
      case 'queue': throw new Error('Queue limit reached.');
      case 'deadlock': throw Object.assign(new Error('Deadlock found'), { errno: 1213, code: 'ER_LOCK_DEADLOCK' });
      case 'undefined': throw undefined as unknown as Error;
      case 'slow': await sleep(3_000); throw new Error('after the answer');
      default: throw Object.assign(new Error(`select * from secrets where pan = '${PAN}' and key = '${ADMIN_KEY}'`), { sql: 'select 1' });
    }
  }

  @Get('trace')
  async trace(@Req() request: FastifyRequest) {
    await sleep(1);
    this.logger.log({ msg: 'a line of the handler', authorization: 'Bearer sk_live_canary123', note: `${ADMIN_KEY} ${PAN} tkn_test_canary12345`, nested: { credentials: { secretKey: 'canary-credential' } } });
    return { traceId: currentTraceId(), url: request.url };
  }

  @Post('trace')
  traceAfterBody(@Body() body: unknown) {
    return { traceId: currentTraceId(), body };
  }
}

@Module({ controllers: [OrdersController] })
class TestModule {}

let app: NestFastifyApplication;
const logs = mkdtempSync(join(tmpdir(), 'smartpay-logs-'));
const env = readEnv({
  DATABASE_URL: 'mysql://root:databasepassword@127.0.0.1/none', PLATFORM_ADMIN_KEY: ADMIN_KEY, ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
  REQUEST_DEADLINE_MS: '400', LOG_CAPTURE_DIR: logs,
});

beforeAll(async () => {
  app = await createApp({ module: TestModule }, env);
  await app.listen(0, '127.0.0.1');
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
    expect((await ask({ url: '/v1/orders' })).headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
});

describe('a body', () => {
  it.each<[string, Sent, number, string]>([
    ['that is not JSON', { url: '/v1/orders', body: '{"amount":' }, 400, 'malformed_json'],
    ['that is empty', { url: '/v1/orders', body: '' }, 400, 'malformed_json'],
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
    expect((await ask({ url: '/v1/trace', body: `"${'x'.repeat(256 * 1024 - 2)}"` })).status).not.toBe(413);
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
    expect((await ask({ url: '/v1/trace', headers: { 'x-trace-id': PAN } })).headers['x-trace-id']).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('an input', () => {
  const fields = async (body: unknown): Promise<string[]> => {
    const answer = await ask({ url: '/v1/orders', body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    return (answer.body.errors ?? []).map(({ field, message }) => `${field} ${message}`);
  };

  it('that is right comes through as it was sent', async () => {
    const body = { amount: 9_007_199_254_740_991, currency: 'XXX', reference: 'Ñ 😀!', token: '~!x', metadata: { k: 'a\nb', empty: '' }, installments: 3, customer: { email: 'ana@ejemplo.pe' } };
    expect(await ask({ url: '/v1/orders', body })).toMatchObject({ status: 201, body: { isDto: true, body } });
  });

  it('is told everything that is wrong at once, by field and without values', async () => {
    const body = { amount: 'CANARY', currency: 'pen', reference: '', surprise: 'CANARY', customer: { email: 'CANARY', status: 'CANARY' }, installments: '3' };
    const errors = await fields(body);
    expect(errors.sort()).toEqual([
      'amount must be an integer from 1 to 9007199254740991, in minor units', 'currency must be three capital letters (ISO 4217)', 'customer.email must be an email',
      'customer.status is not known', 'installments must be an integer number', 'reference must be text of 1 to 5 characters, on one line', 'surprise is not known',
    ]);
    expect(await fields({})).toEqual(['amount is required']);
    expect(await fields({ amount: 1, customer: 'x' })).toContain('customer must be an object');
  });

  it.each([0, -1, 1.5, -0, '1', null, true, [1], {}])('%p is no amount', async (amount) => {
    expect(await fields({ amount })).toHaveLength(1);
  });

  it.each(['a\nb', 'a\u0000', '123456', '\u202e😀😀😀😀😀', 5, '\u0085'])('%j is no text of five characters on one line', async (reference) => {
    expect(await fields({ amount: 1, reference })).toHaveLength(1);
  });

  it.each([
    { a: 1 }, { a: null }, { a: { b: 'c' } }, [], 'x', { '': 'x' }, { ['k'.repeat(41)]: 'x' }, { a: 'x'.repeat(501) }, { a: '\u0000' },
    Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'x'])),
  ])('is no metadata (%#)', async (metadata) => {
    expect(await fields({ amount: 1, metadata })).toHaveLength(1);
  });

  it.each(['', 'a b', 'ñ', 'x'.repeat(256)])('is no opaque token (%#)', async (token) => {
    expect(await fields({ amount: 1, token })).toHaveLength(1);
  });
});

describe('a list', () => {
  type List = { data: string[]; nextCursor: string | null; from: string | null };
  it('is read page by page to its end', async () => {
    const pages: string[][] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body }: { body: List } = await ask<List>({ url: `/v1/orders?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}` });
      pages.push(body.data);
      cursor = body.nextCursor;
    }
    expect(pages).toEqual([['ord_0', 'ord_1'], ['ord_2', 'ord_3'], ['ord_4']]);
  });

  it.each(['x', '', Buffer.from('1:a b').toString('base64url'), Buffer.from('x:ord_1').toString('base64url'), `${Buffer.from('1:ord_1').toString('base64url')}=`])('refuses a cursor that is none of its own (%#)', async (cursor) => {
    expect(await ask({ url: `/v1/orders?cursor=${cursor}` })).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
  });

  it.each(['0', '101', '-1', '2.5', 'ten', '1e1', '2&limit=3'])('refuses the page size %s', async (limit) => {
    expect(await ask({ url: `/v1/orders?limit=${limit}` })).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field: 'limit' }] } });
  });

  it('takes instants with their offset only', async () => {
    expect((await ask<List>({ url: '/v1/orders?from=2026-01-28T10:00:00.1239-05:00' })).body.from).toBe('2026-01-28T15:00:00.123Z');
    expect((await ask<List>({ url: '/v1/orders?from=2024-02-29t00:00:00z' })).body.from).toBe('2024-02-29T00:00:00.000Z');
    for (const from of ['2026-01-28', '2026-01-28T10:00:00', '2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-28T24:00:00Z', '2026-01-28T23:59:60Z', '1769612400', 'now']) {
      expect(await ask({ url: `/v1/orders?from=${from}` })).toMatchObject({ status: 400, body: { errors: [{ field: 'from' }] } });
    }
  });
});

describe('a trace id', () => {
  const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  it.each<[string, Record<string, string>, RegExp]>([
    ['traceparent', { traceparent: PARENT, 'x-trace-id': 'mine' }, /^4bf92f3577b34da6a3ce929d0e0e4736$/], ['X-Trace-Id', { 'x-trace-id': 'Mine_1-x' }, /^Mine_1-x$/],
    ['ourselves, if it brings none', {}, /^[0-9a-f]{32}$/], ['ourselves, if it brings nonsense', { 'x-trace-id': 'a b', traceparent: '00-zz' }, /^[0-9a-f]{32}$/],
    ['ourselves, if it is too long', { 'x-trace-id': 'x'.repeat(65) }, /^[0-9a-f]{32}$/], ['ourselves, if it is all zeros', { traceparent: PARENT.replace(/4bf92f3577b34da6a3ce929d0e0e4736/, '0'.repeat(32)) }, /^[0-9a-f]{32}$/],
  ])('comes from %s', async (_, headers, expected) => {
    const plain = await ask<{ traceId: string }>({ url: '/v1/trace', headers });
    expect(plain.body.traceId).toMatch(expected);
    expect(plain.headers['x-trace-id']).toBe(plain.body.traceId);
    const withBody = await ask<{ traceId: string }>({ url: '/v1/trace', body: {}, headers });
    expect(withBody.body.traceId).toBe(withBody.headers['x-trace-id']);
  });

  it('survives the reading of a body that comes in pieces over a real connection', async () => {
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    const body = new ReadableStream({
      async start(controller) {
        for (const piece of ['{"a":', '1', '}']) {
          controller.enqueue(Buffer.from(piece));
          await sleep(5);
        }
        controller.close();
      },
    });
    const answer = await fetch(`http://127.0.0.1:${port}/v1/trace`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-trace-id': 'pieces' }, body, duplex: 'half' });
    expect(await answer.json()).toEqual({ traceId: 'pieces', body: { a: 1 } });
  });

  it('is that of its own request, however many run at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => ask<{ traceId: string }>({ url: '/v1/trace', headers: { 'x-trace-id': `t${i}` } })));
    expect(answers.map(({ body }) => body.traceId)).toEqual(Array.from({ length: 50 }, (_, i) => `t${i}`));
  });
});

describe('the log', () => {
  it('has one line for each request: its route, never its address, and no more', async () => {
    await ask({ url: '/v1/orders?cursor=CANARYCURSOR', headers: { 'x-trace-id': 'one-line', authorization: 'Bearer sk_live_CANARY' } });
    const lines = logLines().filter(({ traceId }) => traceId === 'one-line');
    expect(lines).toEqual([{
      level: 'info', time: expect.any(String) as unknown, pid: process.pid, context: 'Request', msg: 'request', method: 'GET', route: '/v1/orders', status: 400,
      durationMs: expect.any(Number) as unknown, traceId: 'one-line', code: 'invalid_cursor',
    }]);
  });

  it('has the trace of the request in every line, and no secret even if one is given to it', async () => {
    await ask({ url: '/v1/trace', headers: { 'x-trace-id': 'hygiene' } });
    const [line] = logLines().filter(({ traceId, msg }) => traceId === 'hygiene' && msg === 'a line of the handler');
    expect(line).toMatchObject({ authorization: '[redacted]', note: `${SCRUBBED} ${SCRUBBED} ${SCRUBBED}`, nested: { credentials: '[redacted]' } });
  });

  it('never has a body', () => {
    for (const canary of ['CANARY', PAN, ADMIN_KEY, 'databasepassword']) expect(JSON.stringify(logLines())).not.toContain(canary);
  });
});

describe('a request that takes too long', () => {
  it('knows how long it has', async () => {
    const { body } = await ask<{ remainingMs: number }>({ method: 'POST', url: '/v1/bytes' });
    expect(body.remainingMs).toBeGreaterThan(0);
    expect(body.remainingMs).toBeLessThanOrEqual(400);
  });

  it('is answered within two seconds of its deadline, though its handler goes on', async () => {
    const startedMs = performance.now();
    expect(await ask({ url: '/v1/fails/slow' })).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, body: { code: 'unavailable' } });
    expect(performance.now() - startedMs).toBeLessThan(2_400);
    await sleep(1_500);
    expect((await ask({ url: '/v1/orders' })).status).toBe(200);
  });
});

describe('bytes that are no HTTP', () => {
  const speak = async (text: string): Promise<string> => {
    const socket = connect((app.getHttpServer() as { address(): AddressInfo }).address().port, '127.0.0.1');
    let answer = '';
    socket.on('data', (bytes: Buffer) => { answer += bytes.toString(); });
    socket.write(text);
    await new Promise((resolve) => { socket.on('close', resolve); });
    return answer;
  };

  it.each([['nonsense', 'NONSENSE\r\n\r\n', 400, 'malformed_request'], ['headers without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large']])('are answered with a problem too: %s', async (_, text, status, code) => {
    const answer = await speak(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ status, code });
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
