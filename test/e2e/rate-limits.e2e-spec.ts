import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newMerchant, startInstance, startService, type Merchant, type Service } from '../support/service.js';
import { PLATFORM_ADMIN_KEY } from '../support/settings.js';
import { testRedis } from '../support/redis.js';

let service: Service;
let ana: Merchant;
beforeAll(async () => {
  service = await startService();
  ana = await newMerchant(service.ask);
}, 30_000);
afterAll(() => service.close());

type Instance = Awaited<ReturnType<typeof startInstance>>;

/** An instance that has counted nothing yet. */
async function withInstance(changes: Record<string, string>, work: (instance: Instance) => Promise<void>): Promise<void> {
  const instance = await startInstance(service.tables.url, service.sandbox.url, { RATE_LIMIT_PER_MINUTE: '3', WORKER: 'off', ...changes });
  try {
    await work(instance);
  } finally {
    await instance.app.close();
  }
}

const list = '/v1/payments';
const statuses = async (asks: Promise<{ status: number }>[]): Promise<number[]> => (await Promise.all(asks)).map(({ status }) => status).sort();
const times = <T>(count: number, ask: () => T): T[] => Array.from({ length: count }, ask);

describe('a key', () => {
  it('is told with each answer what is left, and over its limit when to ask again', () => withInstance({}, async ({ ask }) => {
    const first = await ask({ path: list, key: ana.client });
    expect(first.status).toBe(200);
    expect(first.headers['ratelimit-policy']).toBe('"key";q=3;w=60, "tenant";q=15;w=60');
    expect(first.headers.ratelimit).toMatch(/^"key";r=2;t=(60|59), "tenant";r=14;t=(60|59)$/);
    await ask({ path: list, key: ana.client });
    await ask({ path: list, key: ana.client });
    const refused = await ask({ path: list, key: ana.client });
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(refused.headers.ratelimit).toMatch(/^"key";r=0;t=\d+$/);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
  }));

  it('that floods leaves the others of its tenant their share, and other tenants theirs', () => withInstance({}, async ({ ask }) => {
    const benito = await newMerchant(service.ask);
    expect(await statuses(times(30, () => ask({ path: list, key: ana.client })))).toEqual([...times(3, () => 200), ...times(27, () => 429)]);
    expect((await ask({ path: list, key: ana.operator })).status).toBe(200);
    expect((await ask({ path: list, key: benito.client })).status).toBe(200);
  }));

  it('is no way around the limit: all keys of a tenant together have five times that of one', () => withInstance({}, async ({ ask }) => {
    const carla = await newMerchant(service.ask);
    const keys = await Promise.all(times(6, async () => {
      const made = await service.ask<{ key: string }>({ method: 'POST', path: `/v1/admin/tenants/${carla.tenantId}/api-keys`, key: carla.admin, body: { name: 'more', role: 'client' } });
      return made.body.key;
    }));
    const answered = await statuses(keys.flatMap((key) => times(3, () => ask({ path: list, key }))));
    expect(answered).toEqual([...times(15, () => 200), ...times(3, () => 429)]);
    expect((await ask({ path: list, key: ana.client })).status).toBe(200);
  }));

  it('of the platform is limited, too', () => withInstance({}, async ({ ask }) => {
    const path = `/v1/admin/tenants/${ana.tenantId}`;
    expect(await statuses(times(5, () => ask({ path, key: PLATFORM_ADMIN_KEY })))).toEqual([200, 200, 200, 429, 429]);
  }));

  it('that is refused has done nothing, and its idempotency key is still free', () => withInstance({ RATE_LIMIT_PER_MINUTE: '1' }, async ({ ask }) => {
    const dora = await newMerchant(service.ask);
    await ask({ path: list, key: dora.client });
    const create = { method: 'POST' as const, path: list, headers: { 'idempotency-key': 'limited-1' }, body: { amount: 100, currency: 'PEN', customer: { email: 'a@b.pe' }, confirm: false } };
    expect((await ask({ ...create, key: dora.client })).status).toBe(429);
    expect((await ask({ ...create, key: dora.operator })).status).toBe(201);
  }));

  it('is not limited where the limit is 0', () => withInstance({ RATE_LIMIT_PER_MINUTE: '0' }, async ({ ask }) => {
    const answers = await Promise.all(times(50, () => ask({ path: list, key: ana.client })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers[0]?.headers.ratelimit).toBeUndefined();
  }));
});

describe('an address', () => {
  const guess = (instance: Instance, from: string, forwardedFor?: string) => instance.app.inject({
    url: list, remoteAddress: from, headers: { authorization: 'Bearer sk_guessed', ...(forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }) },
  }).then(({ statusCode: status }) => ({ status }));

  it('that guesses keys is stopped, while good keys from there and other addresses are not', () => withInstance({}, async (instance) => {
    expect(await statuses(times(5, () => guess(instance, '192.0.2.1')))).toEqual([401, 401, 401, 429, 429]);
    expect((await instance.app.inject({ url: list, remoteAddress: '192.0.2.1', headers: { authorization: `Bearer ${ana.client}` } })).statusCode).toBe(200);
    expect((await guess(instance, '192.0.2.2')).status).toBe(401);
    expect((await instance.app.inject({ url: list, remoteAddress: '192.0.2.1' })).statusCode).toBe(429); // no key at all
  }));

  it('of IPv6 counts with all of its network, however it is written', () => withInstance({}, async (instance) => {
    expect(await statuses(['2001:db8:0:1::1', '2001:0db8:0000:0001:ffff::2', '2001:db8::1:0:0:0:3', '2001:db8:0:1:a:b:c:d'].map((from) => guess(instance, from)))).toEqual([401, 401, 401, 429]);
    expect((await guess(instance, '2001:db8:0:2::1')).status).toBe(401);
    expect(await statuses(times(3, () => guess(instance, '::ffff:198.51.100.7')))).toEqual([401, 401, 401]);
    expect((await guess(instance, '198.51.100.7')).status).toBe(429);
  }));

  it('cannot be made up: without TRUST_PROXY nobody is believed, with it only the hops that are trusted', async () => {
    await withInstance({}, async (instance) => {
      expect(await statuses(times(5, () => guess(instance, '192.0.2.1', `203.0.113.${Math.trunc(Math.random() * 250)}`)))).toEqual([401, 401, 401, 429, 429]);
    });
    await withInstance({ TRUST_PROXY: '1' }, async (instance) => {
      // The proxy appends whom it saw; what stands before that is the client's own claim.
      expect(await statuses([1, 2, 3, 4].map((claim) => guess(instance, '10.0.0.1', `203.0.113.${claim}, 198.51.100.1`)))).toEqual([401, 401, 401, 429]);
      expect((await guess(instance, '10.0.0.1', '203.0.113.1, 198.51.100.2')).status).toBe(401);
    });
  });

  it('that reads the documentation is counted; health and metrics are for machines and are not', () => withInstance({}, async ({ app }) => {
    const ask = (url: string) => app.inject({ url, remoteAddress: '192.0.2.9' }).then(({ statusCode: status }) => ({ status }));
    expect(await statuses(times(5, () => ask('/docs/openapi.json')))).toEqual([200, 200, 200, 429, 429]);
    expect(await statuses(times(5, () => ask('/health/live')))).toEqual(times(5, () => 200));
    expect(await statuses(times(5, () => ask('/metrics')))).toEqual(times(5, () => 200));
  }));

  it('and what was refused show in the metrics', () => withInstance({}, async (instance) => {
    await statuses(times(5, () => guess(instance, '192.0.2.1')));
    const { payload } = await instance.app.inject({ url: '/metrics' });
    expect(payload).toContain('smartpay_rate_limited_total{policy="address"} 2');
  }));
});

describe('with Redis', () => {
  it('instances count together, and each by itself while Redis is away', async () => {
    const redis = await testRedis();
    await redis.start();
    try {
      await withInstance({ REDIS_URL: redis.url }, (one) => withInstance({ REDIS_URL: redis.url }, async (other) => {
        await one.ask({ path: list, key: ana.admin }); // opens the connections
        await other.ask({ path: list, key: ana.admin });
        await new Promise((resolve) => { setTimeout(resolve, 300); });
        const erna = await newMerchant(service.ask);
        const both = () => [one, other].flatMap(({ ask }) => times(3, () => ask({ path: list, key: erna.client })));
        expect(await statuses(both())).toEqual([200, 200, 200, 429, 429, 429]);

        await redis.stop();
        const fermin = await newMerchant(service.ask);
        const meanwhile = [one, other].flatMap(({ ask }) => times(4, () => ask({ path: list, key: fermin.client })));
        expect(await statuses(meanwhile)).toEqual([...times(6, () => 200), 429, 429]);

        await redis.start();
        await new Promise((resolve) => { setTimeout(resolve, 1500); });
        const gala = await newMerchant(service.ask);
        expect(await statuses([one, other].flatMap(({ ask }) => times(3, () => ask({ path: list, key: gala.client }))))).toEqual([200, 200, 200, 429, 429, 429]);
      }));
    } finally {
      await redis.stop();
    }
  }, 30_000);
});
