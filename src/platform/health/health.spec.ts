import { afterEach, describe, expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { HealthController } from './health.controller.js';
import { HealthModule } from './health.module.js';
import type { ReadinessCheck } from './readiness.js';

const fine: ReadinessCheck = { name: 'database', check: () => Promise.resolve() };
const failing: ReadinessCheck = { name: 'schema', check: () => Promise.reject(new Error('connect ECONNREFUSED root@10.0.0.1')) };
const hanging: ReadinessCheck = { name: 'session', check: () => new Promise(() => undefined) };

let app: NestFastifyApplication | undefined;
afterEach(async () => { await app?.close(); });

async function ask(checks: ReadinessCheck[], url: string, before: (started: NestFastifyApplication) => void = () => undefined) {
  const module = await Test.createTestingModule({ imports: [HealthModule.forRoot(checks, { drainMs: 0 })] }).compile();
  app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  await app.init();
  before(app);
  const answer = await app.inject({ url });
  return { status: answer.statusCode, body: answer.json<unknown>() };
}

describe('a process', () => {
  it('is live whatever it can reach', async () => {
    expect(await ask([failing, hanging], '/health/live')).toEqual({ status: 200, body: { status: 'ok' } });
  });

  it('is ready when all it needs is there', async () => {
    expect(await ask([fine, { ...fine, name: 'schema' }], '/health/ready')).toEqual({ status: 200, body: { status: 'ok', checks: { database: { status: 'ok' }, schema: { status: 'ok' } } } });
  });

  it('is not ready within a second when something is missing or does not answer, and does not tell where it is', async () => {
    const startedMs = performance.now();
    expect(await ask([fine, failing, hanging], '/health/ready')).toEqual({
      status: 503,
      body: { status: 'unavailable', checks: { database: { status: 'ok' }, schema: { status: 'failed', reason: 'not available' }, session: { status: 'failed', reason: 'no answer in time' } } },
    });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it('is not ready once it is told to stop', async () => {
    expect(await ask([fine], '/health/ready', (started) => { void started.get(HealthController).onModuleDestroy(); })).toMatchObject({ status: 503, body: { status: 'unavailable' } });
  });
});
