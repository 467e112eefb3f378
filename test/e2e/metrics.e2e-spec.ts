import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../../src/app.module.js';
import { readEnv } from '../../src/config/read-env.js';
import { ormOptions } from '../../src/mikro-orm.config.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { MetricsController } from '../../src/platform/metrics/metrics.controller.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { withLog } from '../../src/platform/logging/logging.module.js';
import { startDatabaseProxy } from '../support/database-proxy.js';
import { createPayment, mintToken, paymentOf, type PaymentBody } from '../support/payments.js';
import { newMerchant, startInstance, startService, type Merchant, type Service } from '../support/service.js';
import { freePort } from '../support/ports.js';
import { PLATFORM_ADMIN_KEY, rememberCanaries, testEnvironment } from '../support/settings.js';

const ROOT = resolve(import.meta.dirname, '../..');

let service: Service;
let shop: Merchant;
beforeAll(async () => {
  service = await startService({ WORKER: 'off' });
  shop = await newMerchant(service.ask);
});
afterAll(() => service.close());

/** Every sample by its name and labels, as they stand in the text. */
type Samples = Map<string, number>;

async function scrape({ app }: Pick<Service, 'app'> = service) {
  const { statusCode, headers, payload } = await app.inject({ url: '/metrics' });
  const samples: Samples = new Map(payload.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => {
    const end = line.lastIndexOf(' ');
    return [line.slice(0, end), Number(line.slice(end + 1))];
  }));
  return { status: statusCode, headers, text: payload, samples };
}

/** What `work` changed: counters and the counts of histograms of ours, without HTTP. */
async function changesBy(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const { samples: before } = await scrape();
  await work();
  const { samples: after } = await scrape();
  return Object.fromEntries([...after].filter(([sample]) => /^smartpay_(payments|tickets|gateway)\w*_(total|count)\b/.test(sample))
    .map(([sample, value]): [string, number] => [sample, value - (before.get(sample) ?? 0)]).filter(([, change]) => change !== 0));
}

const requestsTo = (samples: Samples, labels: string): number => samples.get(`smartpay_http_request_duration_seconds_count{${labels}}`) ?? 0;
const call = (verb: string, outcome: string): string => `smartpay_gateway_call_duration_seconds_count{gateway="culqi",verb="${verb}",outcome="${outcome}"}`;
const into = (gateway: string, status: string): string => `smartpay_payments_total{gateway="${gateway}",status="${status}"}`;

describe('/metrics', () => {
  it('answers Prometheus without a key, and only there', async () => {
    const { status, headers, text } = await scrape();
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('# TYPE nodejs_eventloop_lag_p99_seconds gauge');
    expect((await service.ask({ path: '/v1/metrics', key: shop.client })).status).toBe(404);
  });

  it('counts each step of a payment once, and nothing when the payment is asked for again under its key', async () => {
    const body = paymentOf(await mintToken(service.sandbox.url, shop));
    const key = randomUUID();
    const requests = requestsTo((await scrape()).samples, 'method="POST",route="/v1/payments",status="201"');
    expect(await changesBy(() => createPayment(service, shop.client, body, key))).toEqual({
      [into('none', 'created')]: 1, [into('culqi', 'processing')]: 1, [into('culqi', 'captured')]: 1, [call('createPayment', 'answered')]: 1,
    });
    expect(await changesBy(() => createPayment(service, shop.client, body, key))).toEqual({});
    expect(requestsTo((await scrape()).samples, 'method="POST",route="/v1/payments",status="201"')).toBe(requests + 2);
  });

  it('does not count a payment whose transaction was rolled back', async () => {
    const body = paymentOf(await mintToken(service.sandbox.url, shop));
    await service.tables.query("create trigger broken before insert on jobs for each row begin signal sqlstate '45000' set message_text = 'broken'; end");
    try {
      expect(await changesBy(async () => expect((await createPayment(service, shop.client, body)).status).toBe(500))).toEqual({});
    } finally {
      await service.tables.query('drop trigger broken');
    }
  });

  it('tells an outcome that is not known from a decline', async () => {
    const lost = paymentOf(await mintToken(service.sandbox.url, shop));
    service.sandbox.faults.add({ route: 'POST /v2/charges', merchant: shop.culqi.merchant, kind: 'reset_after_booking' });
    expect(await changesBy(() => createPayment(service, shop.client, lost))).toEqual({
      [into('none', 'created')]: 1, [into('culqi', 'processing')]: 1, [call('createPayment', 'outcome_unknown')]: 1,
    });
    const declined = paymentOf(await mintToken(service.sandbox.url, shop, { number: '4000040000000008', cvv: '295' }));
    expect(await changesBy(() => createPayment(service, shop.client, declined))).toEqual({
      [into('none', 'created')]: 1, [into('culqi', 'processing')]: 1, [into('culqi', 'failed')]: 1, [call('createPayment', 'answered')]: 1,
    });
  });

  it('counts a ticket once, however often its trouble is seen', async () => {
    const wrong = { merchant: shop.culqi.merchant, kind: 'wrong_answer' as const, changes: { amount: 12_901 } };
    service.sandbox.faults.add({ route: 'POST /v2/charges', ...wrong });
    let made: PaymentBody | undefined;
    const body = paymentOf(await mintToken(service.sandbox.url, shop));
    const opened = await changesBy(async () => { made = (await createPayment(service, shop.client, body)).body; });
    expect(opened).toMatchObject({ 'smartpay_tickets_opened_total{kind="mismatch"}': 1, [into('culqi', 'needs_review')]: 1 });

    service.sandbox.faults.add({ route: 'GET /v2/charges/:id', ...wrong });
    const seenAgain = await changesBy(() => service.ask({ method: 'POST', path: `/v1/payments/${made?.id}/sync`, key: shop.operator }));
    expect(seenAgain).toEqual({ [call('fetchPayment', 'answered')]: 1 });
    service.sandbox.faults.clear();
  });

  it('names routes by their pattern, and an address that no route has not at all', async () => {
    await service.ask({ path: '/v1/payments/pay_00000000000000000000000000', key: shop.client });
    await service.ask({ path: '/wp-login-canary.php?probe=1' });
    const { samples, text } = await scrape();
    expect(requestsTo(samples, 'method="GET",route="/v1/payments/:id",status="404"')).toBe(1);
    expect(requestsTo(samples, 'method="GET",route="unmatched",status="404"')).toBeGreaterThan(0);
    expect(text).not.toMatch(/wp-login|pay_0000/);
  });

  it('names no tenant, payment, key or token', async () => {
    const token = await mintToken(service.sandbox.url, shop);
    const { body } = await createPayment(service, shop.client, paymentOf(token, { reference: 'ORD-canary' }));
    expect(body.status).toBe('captured');
    const { text } = await scrape();
    const private_ = [shop.tenantId, shop.client, shop.operator, shop.culqi.secretKey, shop.culqi.publicKey, shop.culqi.merchant, PLATFORM_ADMIN_KEY, token, 'ORD-canary', 'ana@ejemplo.pe',
      body.id, body.gatewayReference ?? '', body.attempts[0]?.id ?? ''];
    expect(private_.filter((value) => value === '' || text.includes(value))).toEqual([]);
    expect(text).not.toMatch(/\b(ten|pay|att|tkn|chr|sk|pk)_/);
  });

  it('shows the jobs: what waits by kind, how late the first is, and what was laid aside', async () => {
    await service.tables.query('delete from jobs');
    const insert = (id: string, kind: string, runAt: string) => service.tables.query(
      `insert into jobs (id, kind, tenant_id, payload, run_at, attempts, created_at) values (?, ?, ?, '{}', ${runAt}, 0, now(3))`, [id, kind, shop.tenantId]);
    const jobs = async () => Object.fromEntries([...(await scrape()).samples].filter(([sample]) => sample.startsWith('smartpay_jobs')));
    const none = { 'smartpay_jobs_waiting{kind="customers.erased"}': 0, 'smartpay_jobs_waiting{kind="customers.forget_method"}': 0, 'smartpay_jobs_waiting{kind="customers.forget_at_gateway"}': 0, 'smartpay_jobs_waiting{kind="payments.look_over"}': 0, 'smartpay_jobs_waiting{kind="payments.look_over_account"}': 0, 'smartpay_jobs_waiting{kind="payments.check_refunds"}': 0, 'smartpay_jobs_waiting{kind="payments.return"}': 0, 'smartpay_jobs_waiting{kind="payments.send_refund"}': 0, 'smartpay_jobs_waiting{kind="webhooks.process"}': 0, 'smartpay_jobs_waiting{kind="card_data.scan"}': 0, 'smartpay_jobs_waiting{kind="payments.look_up"}': 0, 'smartpay_jobs_waiting{kind="payments.expire"}': 0, 'smartpay_jobs_waiting{kind="payments.apply"}': 0, 'smartpay_jobs_waiting{kind="other"}': 0 };
    expect(await jobs()).toEqual({ ...none, smartpay_jobs_oldest_due_seconds: 0, smartpay_jobs_dead: 0 });
    await insert('job_due', 'payments.look_up', 'date_sub(now(3), interval 90 second)');
    await insert('job_later', 'payments.look_up', 'date_add(now(3), interval 1 hour)');
    await insert('job_new', 'of_a_release_to_come', 'date_add(now(3), interval 1 hour)');
    await insert('job_dead', 'payments.apply', 'null');
    const shown = await jobs();
    expect(shown).toMatchObject({ ...none, 'smartpay_jobs_waiting{kind="payments.look_up"}': 2, 'smartpay_jobs_waiting{kind="other"}': 1, smartpay_jobs_dead: 1 });
    expect(shown.smartpay_jobs_oldest_due_seconds).toBeGreaterThanOrEqual(89);
    expect(shown.smartpay_jobs_oldest_due_seconds).toBeLessThan(120);
  });

  it('shows the pool: a transaction takes a connection and gives it back, and who comes in vain is queued', async () => {
    const instance = await startInstance(service.tables.url, service.sandbox.url, { WORKER: 'off', DATABASE_POOL: '1' });
    const pool = async () => Object.fromEntries([...(await scrape(instance)).samples].filter(([sample]) => sample.startsWith('smartpay_database_pool')).map(([sample, value]) => [sample.split('"')[1] ?? '', value] as [string, number]));
    try {
      await scrape(instance);
      expect(await pool()).toMatchObject({ all: 1, queued: 0 });
      await instance.database.transaction(async (transaction) => {
        await transaction.acrossTenants().selectFrom('jobs').select('id').limit(1).execute();
        expect(await pool()).toEqual({ all: 1, free: 0, queued: 1 }); // the scrape's own question waits, too
      });
    } finally {
      await instance.app.close();
    }
  });

  it('of one instance does not know of another', async () => {
    const other = await startInstance(service.tables.url, service.sandbox.url, { WORKER: 'off' });
    try {
      await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop)));
      expect((await scrape(other)).samples.get(into('culqi', 'captured'))).toBe(0);
    } finally {
      await other.app.close();
    }
  });
});

describe('a worker alone', () => {
  const startWorker = async (changes: Record<string, string>) => {
    const env = readEnv(testEnvironment(service.tables.url, service.sandbox.url, changes));
    const database = await openDatabase(ormOptions(env.databaseUrl, env.databasePool));
    const worker = await NestFactory.createApplicationContext(withLog(AppModule.worker(env, database), env), { bufferLogs: true, abortOnError: false });
    return { worker, ask: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${env.workerPort}${path}`, init) };
  };

  it('listens on nothing unless it is given a port, and counts', async () => {
    const { worker } = await startWorker({});
    try {
      expect(worker.get(Metrics).registry.getMetricsAsArray().map(({ name }) => name).sort())
        .toEqual(['smartpay_gateway_call_duration_seconds', 'smartpay_payments_total', 'smartpay_rate_limited_total', 'smartpay_tickets_opened_total', 'smartpay_webhooks_received_total']);
      expect(() => worker.get(MetricsController)).toThrow();
    } finally {
      await worker.close();
    }
  });

  it('with a port shows its health and what it counted, and no API', async () => {
    const { worker, ask } = await startWorker({ WORKER_PORT: String(await freePort()), METRICS_TOKEN: 'canary_worker_metrics' });
    rememberCanaries(['canary_worker_metrics']);
    try {
      expect(await (await ask('/health/live')).json()).toEqual({ status: 'ok' });
      const ready = await ask('/health/ready');
      expect([ready.status, await ready.json()]).toEqual([200, { status: 'ok', checks: { database: { status: 'ok' }, session: { status: 'ok' }, schema: { status: 'ok' } } }]);
      expect((await ask('/metrics')).status).toBe(401);
      const shown = await (await ask('/metrics', { headers: { authorization: 'Bearer canary_worker_metrics' } })).text();
      for (const name of ['smartpay_payments_total', 'smartpay_jobs_waiting', 'smartpay_database_pool_connections', 'nodejs_eventloop_lag_seconds']) expect(shown).toContain(name);
      expect((await ask('/v1/payments')).status).toBe(404);
      expect((await ask('/health/live', { method: 'POST' })).status).toBe(405);
    } finally {
      await worker.close();
    }
  });
});

describe('while the database', () => {
  it.each<[string, 'refuse' | 'hang']>([['is down', 'refuse'], ['does not answer', 'hang']])('%s, /metrics still answers, and claims nothing about jobs', async (_how, fault) => {
    const proxy = await startDatabaseProxy(service.tables.url);
    const instance = await startInstance(proxy.url, service.sandbox.url, { WORKER: 'off', DATABASE_POOL: '2' });
    const blocker = fault === 'hang' ? await lockJobs() : undefined;
    try {
      if (fault === 'refuse') proxy.setDown(true);
      const startedMs = performance.now();
      const { status, samples, text } = await scrape(instance);
      expect(performance.now() - startedMs).toBeLessThan(2_000);
      expect(status).toBe(200);
      expect(samples.get('smartpay_database_up')).toBe(0);
      expect(text).not.toMatch(/^smartpay_jobs/m);
      expect(samples.get(into('culqi', 'captured'))).toBe(0);
      await blocker?.release();
      proxy.setDown(false);
      await new Promise((resolve_) => { setTimeout(resolve_, 200); });
      const { samples: again } = await scrape(instance);
      expect(again.get('smartpay_database_up')).toBe(1);
      expect(again.has('smartpay_jobs_dead')).toBe(true);
    } finally {
      await instance.app.close();
      await proxy.close();
    }
  });

  /** Holds the whole table, so that whoever reads it waits. */
  async function lockJobs() {
    await service.tables.query('lock tables jobs write');
    return { release: () => service.tables.query('unlock tables') };
  }
});

/** PromQL's own words, and labels in by(…), are no metrics; nor is what stands in braces, brackets or quotes. */
function metricsIn(expression: string): string[] {
  const bare = expression.replaceAll(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, ' ').replaceAll(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/g)].map(([name]) => name).filter((name) => !['and', 'or', 'unless', 'bool', 'offset'].includes(name));
}

describe.each([
  ['docs/monitoring/grafana-dashboard.json', (text: string) => [...text.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(([, json]) => JSON.parse(json ?? '""') as string)],
  ['docs/monitoring/alerts.yml', (text: string) => [...text.matchAll(/^ +expr: (.*)$/gm)].map(([, expression]) => expression ?? '')],
])('%s', (file, expressionsIn) => {
  it('asks only for what is measured', async () => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const expressions = expressionsIn(text);
    expect(expressions.length).toBe(text.split(/\bexpr"?:/).length - 1);
    expect(expressions.length).toBeGreaterThan(5);
    const measured = new Set([...(await scrape()).samples.keys()].map((sample) => sample.replace(/\{.*/, '')));
    const asked = expressions.flatMap((expression) => {
      expect(metricsIn(expression)).not.toEqual([]);
      return metricsIn(expression);
    });
    expect([...new Set(asked)].filter((name) => !measured.has(name))).toEqual([]);
  });
});

it('an expression\'s metrics are told from the words around them', () => {
  expect(metricsIn('sum by (gateway) (rate(some_total{status=~"5..", kind="x_y"}[5m])) / max without (instance)(other_seconds) > 0.1 and bare_metric')).toEqual(['some_total', 'other_seconds', 'bare_metric']);
});
