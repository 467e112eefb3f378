import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Logger, Module, Post, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnv } from '../../config/read-env.js';
import { Problem } from '../../shared/problem.js';
import { SCRUBBED } from '../logging/log-scrubber.js';
import { createApp } from './create-app.js';
import { requestWindow } from './request-context.js';
import { currentTraceId } from './trace.js';

const PAN = '4111111111111111';
const ADMIN_KEY = 'pak_0123456789abcdefghij';

@Controller('v1')
class ThingsController {
  private readonly logger = new Logger(ThingsController.name);

  @Get('things/:id')
  refuse(): never {
    throw new Problem('invalid_state', 'It is not in that state.');
  }

  @Get('window')
  window(@Req() request: FastifyRequest) {
    return { remainingMs: requestWindow(request).remainingMs() };
  }

  @Get('slow')
  async slow(): Promise<never> {
    await sleep(3_000);
    throw new Error('after the answer');
  }

  @Get('trace')
  async trace() {
    await sleep(1);
    this.logger.log({ msg: 'a line of the handler', authorization: 'Bearer sk_live_canary123', note: `${ADMIN_KEY} ${PAN} tkn_test_canary12345`, nested: { credentials: { secretKey: 'canary-credential' } } });
    return { traceId: currentTraceId() };
  }

  @Post('trace')
  traceAfterBody(@Body() body: unknown) {
    return { traceId: currentTraceId(), body };
  }
}

@Module({ controllers: [ThingsController] })
class TestModule {}

let app: NestFastifyApplication;
let url = '';
const logs = mkdtempSync(join(tmpdir(), 'smartpay-logs-'));

beforeAll(async () => {
  app = await createApp({ module: TestModule }, readEnv({
    DATABASE_URL: 'mysql://root:databasepassword@127.0.0.1/none', PLATFORM_ADMIN_KEY: ADMIN_KEY, ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
    REQUEST_DEADLINE_MS: '400', LOG_CAPTURE_DIR: logs,
  }));
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
afterAll(async () => {
  await app.close();
  rmSync(logs, { recursive: true });
});

/** Over a real connection: the trace must survive what Node does between its events. */
async function ask<Answer = unknown>(path: string, sent: RequestInit = {}) {
  const answer = await fetch(url + path, sent);
  return { status: answer.status, headers: answer.headers, body: await answer.json() as Answer };
}

function logLines(): Record<string, unknown>[] {
  return readdirSync(logs).flatMap((file) => readFileSync(join(logs, file), 'utf8').trim().split('\n')).map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a trace id', () => {
  const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  it.each<[string, Record<string, string>, RegExp]>([
    ['traceparent', { traceparent: PARENT, 'x-trace-id': 'mine' }, /^4bf92f3577b34da6a3ce929d0e0e4736$/], ['X-Trace-Id', { 'x-trace-id': 'Mine_1-x' }, /^Mine_1-x$/],
    ['ourselves, if it brings none', {}, /^[0-9a-f]{32}$/], ['ourselves, if it brings nonsense', { 'x-trace-id': 'a b', traceparent: '00-zz' }, /^[0-9a-f]{32}$/],
    ['ourselves, if it is too long', { 'x-trace-id': 'x'.repeat(65) }, /^[0-9a-f]{32}$/], ['ourselves, if it is all zeros', { traceparent: PARENT.replace(/4bf92f3577b34da6a3ce929d0e0e4736/, '0'.repeat(32)) }, /^[0-9a-f]{32}$/],
  ])('comes from %s', async (_, headers, expected) => {
    const plain = await ask<{ traceId: string }>('/v1/trace', { headers });
    expect(plain.body.traceId).toMatch(expected);
    expect(plain.headers.get('x-trace-id')).toBe(plain.body.traceId);
    const withBody = await ask<{ traceId: string }>('/v1/trace', { method: 'POST', body: '{}', headers: { ...headers, 'content-type': 'application/json' } });
    expect(withBody.body.traceId).toBe(withBody.headers.get('x-trace-id'));
  });

  it('survives the reading of a body that comes in pieces over a real connection', async () => {
    const body = new ReadableStream({
      async start(controller) {
        for (const piece of ['{"a":', '1', '}']) {
          controller.enqueue(Buffer.from(piece));
          await sleep(5);
        }
        controller.close();
      },
    });
    const answer = await ask('/v1/trace', { method: 'POST', headers: { 'content-type': 'application/json', 'x-trace-id': 'pieces' }, body, duplex: 'half' });
    expect(answer.body).toEqual({ traceId: 'pieces', body: { a: 1 } });
  });

  it('is that of its own request, however many run at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => ask<{ traceId: string }>('/v1/trace', { headers: { 'x-trace-id': `t${i}` } })));
    expect(answers.map(({ body }) => body.traceId)).toEqual(Array.from({ length: 50 }, (_, i) => `t${i}`));
  });
});

describe('the log', () => {
  it('has one line for each request: its route, never its address, and no more', async () => {
    await ask('/v1/things/CANARYID?cursor=CANARYCURSOR', { headers: { 'x-trace-id': 'one-line', authorization: 'Bearer sk_live_CANARY' } });
    const lines = logLines().filter(({ traceId }) => traceId === 'one-line');
    expect(lines).toEqual([{
      level: 'info', time: expect.any(String) as unknown, pid: process.pid, context: 'Request', msg: 'request', method: 'GET', route: '/v1/things/:id', status: 409,
      durationMs: expect.any(Number) as unknown, traceId: 'one-line', code: 'invalid_state',
    }]);
  });

  it('has the trace of the request in every line, and no secret even if one is given to it', async () => {
    await ask('/v1/trace', { headers: { 'x-trace-id': 'hygiene' } });
    const [line] = logLines().filter(({ traceId, msg }) => traceId === 'hygiene' && msg === 'a line of the handler');
    expect(line).toMatchObject({ authorization: '[redacted]', note: `${SCRUBBED} ${SCRUBBED} ${SCRUBBED}`, nested: { credentials: '[redacted]' } });
  });

  it('never has a body, not even of a request that was refused', async () => {
    await ask('/v1/trace', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ cardNumber: PAN, cvv: 'CANARY' }) });
    for (const canary of ['CANARY', PAN, ADMIN_KEY, 'databasepassword']) expect(JSON.stringify(logLines())).not.toContain(canary);
  });
});

describe('a request that takes too long', () => {
  it('knows how long it has', async () => {
    const { body } = await ask<{ remainingMs: number }>('/v1/window');
    expect(body.remainingMs).toBeGreaterThan(0);
    expect(body.remainingMs).toBeLessThanOrEqual(400);
  });

  it('is answered within two seconds of its deadline, though its handler goes on', async () => {
    const startedMs = performance.now();
    const late = await ask('/v1/slow');
    expect({ status: late.status, after: late.headers.get('retry-after'), body: late.body }).toMatchObject({ status: 503, after: '1', body: { code: 'unavailable' } });
    expect(performance.now() - startedMs).toBeLessThan(2_400);
    await sleep(1_500);
    expect((await ask('/v1/window')).status).toBe(200);
  });
});

describe('bytes that are no HTTP', () => {
  const speak = async (text: string): Promise<string> => {
    const socket = connect(Number(new URL(await app.getUrl()).port), '127.0.0.1');
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
