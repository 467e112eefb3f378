import { describe, expect, it } from '@jest/globals';
import { EnvironmentError, readEnv } from './read-env.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const REQUIRED = { DATABASE_URL: 'mariadb://root@127.0.0.1:3306/smartpay', PLATFORM_ADMIN_KEY: 'pak_0123456789abcdefghij', ENCRYPTION_KEYS: `k1:${KEY}` };

function refusal(changes: Record<string, string | undefined>): readonly string[] {
  try {
    readEnv({ ...REQUIRED, ...changes });
  } catch (error) {
    if (error instanceof EnvironmentError) return error.lines;
    throw error;
  }
  throw new Error('the environment was accepted');
}

describe('an environment with the required variables only', () => {
  it('has the defaults of the HTTP contract', () => {
    const { hosts, publicUrl, encryptionKeys, ...env } = readEnv(REQUIRED);
    expect(env).toMatchObject({
      production: false, databaseUrl: REQUIRED.DATABASE_URL, databaseReplicaUrl: undefined, databasePool: 20, port: 3000, platformAdminKey: REQUIRED.PLATFORM_ADMIN_KEY,
      postmarkServerToken: undefined, mailFrom: undefined, amqpUrl: undefined, logLevel: 'info', trustProxy: false,
      gatewayTimeoutMs: 15_000, requestDeadlineMs: 25_000, lookupLagMs: undefined, absenceAfterMs: undefined,
      jobPollMs: 200, jobLeaseMs: 30_000, idempotencyLeaseMs: 35_000, breakerResetMs: 5_000, shutdownMs: 30_000, worker: 'inline',
      rateLimitPerMinute: 600, allowPrivateWebhookUrls: false, logCaptureDir: undefined,
    });
    expect(publicUrl.href).toBe('http://localhost:3000/');
    expect(encryptionKeys).toEqual([{ kid: 'k1', key: Buffer.alloc(32, 7) }]);
    expect(Object.entries(hosts).map(([name, url]) => `${name}=${url.href}`)).toEqual([
      'CULQI_API_URL=https://api.culqi.com/', 'CULQI_SECURE_URL=https://secure.culqi.com/', 'MERCADOPAGO_API_URL=https://api.mercadopago.com/',
      'PIXELPAY_API_URL=https://api.pixelpay.com.do/', 'POSTMARK_API_URL=https://api.postmarkapp.com/',
    ]);
  });

  it('looks unknown outcomes up for seven days, and sends webhooks for three', () => {
    const { resolveScheduleMs, webhookScheduleMs } = readEnv(REQUIRED);
    const days = (delays: readonly number[]): number => delays.reduce((sum, delayMs) => sum + delayMs, 0) / 86_400_000;
    expect(resolveScheduleMs.slice(0, 8)).toEqual([5_000, 15_000, 60_000, 300_000, 1_800_000, 7_200_000, 21_600_000, 86_400_000]);
    expect(resolveScheduleMs.slice(8).every((delayMs) => delayMs === 86_400_000)).toBe(true);
    expect(days(resolveScheduleMs)).toBeGreaterThanOrEqual(7);
    expect(days(resolveScheduleMs)).toBeLessThan(8);
    expect(webhookScheduleMs[0]).toBe(5_000);
    expect(days(webhookScheduleMs)).toBeGreaterThan(3);
  });

  it('is the same when the others are empty', () => {
    const empty = Object.fromEntries(['PORT', 'PUBLIC_URL', 'CULQI_API_URL', 'RESOLVE_SCHEDULE', 'WORKER', 'LOOKUP_LAG_MS', 'NODE_ENV'].map((name) => [name, '']));
    expect(readEnv({ ...REQUIRED, ...empty })).toEqual(readEnv(REQUIRED));
  });
});

describe('a variable that is set', () => {
  it('is read in its unit', () => {
    const env = readEnv({
      ...REQUIRED, PORT: '8080', PUBLIC_URL: 'https://pay.example/base', RESOLVE_SCHEDULE: '500ms, 5s,1m,2h,1d', WEBHOOK_SCHEDULE: '1s', LOOKUP_LAG_MS: '0',
      GATEWAY_TIMEOUT_MS: '300', REQUEST_DEADLINE_MS: '1000', TRUST_PROXY: '10.0.0.0/8, ::1,loopback', WORKER: 'off', RATE_LIMIT_PER_MINUTE: '0',
      ALLOW_PRIVATE_WEBHOOK_URLS: 'true', CULQI_API_URL: 'http://127.0.0.1:4010', ENCRYPTION_KEYS: `new:${KEY},old:${Buffer.alloc(32).toString('base64')}`,
    });
    expect(env).toMatchObject({
      port: 8080, resolveScheduleMs: [500, 5_000, 60_000, 7_200_000, 86_400_000], webhookScheduleMs: [1_000], lookupLagMs: 0, gatewayTimeoutMs: 300, requestDeadlineMs: 1_000,
      idempotencyLeaseMs: 11_000, trustProxy: ['10.0.0.0/8', '::1', 'loopback'], worker: 'off', rateLimitPerMinute: 0, allowPrivateWebhookUrls: true,
    });
    expect(env.publicUrl.href).toBe('https://pay.example/base');
    expect(env.hosts.CULQI_API_URL?.href).toBe('http://127.0.0.1:4010/');
    expect(env.encryptionKeys.map(({ kid }) => kid)).toEqual(['new', 'old']);
  });

  it.each([['off', false], ['on', true], ['2', 2], ['192.0.2.1', ['192.0.2.1']]])('trusts proxies when TRUST_PROXY is %s', (text, trustProxy) => {
    expect(readEnv({ ...REQUIRED, TRUST_PROXY: text }).trustProxy).toEqual(trustProxy);
  });

  it('gives a PSP call less time when the whole request has less', () => {
    expect(readEnv({ ...REQUIRED, REQUEST_DEADLINE_MS: '5000' }).gatewayTimeoutMs).toBe(3_000);
  });
});

describe('a bad environment', () => {
  it.each([
    ['DATABASE_URL', 'postgres://root@localhost/smartpay'], ['DATABASE_URL', 'mysql://root:CANARY@localhost:3306'], ['DATABASE_URL', 'mysql://root@localhost/'],
    ['DATABASE_URL', 'CANARY'], ['DATABASE_URL', 'mysql:smartpay'], ['DATABASE_REPLICA_URL', 'CANARY'], ['DATABASE_POOL', '0'], ['DATABASE_POOL', '-1'],
    ['PORT', '0'], ['PORT', '65536'], ['PORT', '80.5'], ['PORT', '0x50'], ['PORT', ' 80'], ['PUBLIC_URL', 'ftp://CANARY'], ['PUBLIC_URL', 'https://user:CANARY@pay.example'],
    ['PLATFORM_ADMIN_KEY', 'CANARY_too_short'], ['PLATFORM_ADMIN_KEY', 'CANARY with blanks in it'], ['PLATFORM_ADMIN_KEY', 'CANARYñññññññññññññññññ'],
    ['ENCRYPTION_KEYS', 'CANARY'], ['ENCRYPTION_KEYS', `k1:${Buffer.alloc(31).toString('base64')}`], ['ENCRYPTION_KEYS', `k1:${KEY},k1:${KEY}`],
    ['ENCRYPTION_KEYS', `k1:${KEY},`], ['ENCRYPTION_KEYS', `:${KEY}`],
    ['CULQI_API_URL', 'https://api.culqi.com/v2'], ['CULQI_SECURE_URL', 'https://secure.culqi.com?x=CANARY'], ['MERCADOPAGO_API_URL', 'https://CANARY@api.mercadopago.com'],
    ['PIXELPAY_API_URL', 'api.pixelpay.com.do'], ['POSTMARK_API_URL', 'https://api.postmarkapp.com/#CANARY'], ['POSTMARK_API_URL', 'https:/CANARY'],
    ['MAIL_FROM', 'CANARY'], ['MAIL_FROM', 'Pay <a@b.pe>\r\nBcc: CANARY@b.pe'], ['AMQP_URL', 'http://CANARY'], ['LOG_LEVEL', 'CANARY'], ['LOG_LEVEL', 'INFO'],
    ['TRUST_PROXY', 'CANARY'], ['TRUST_PROXY', '10.0.0.0/33'], ['TRUST_PROXY', '21'], ['GATEWAY_TIMEOUT_MS', '15s'], ['GATEWAY_TIMEOUT_MS', '25000'], ['REQUEST_DEADLINE_MS', '0'],
    ['RESOLVE_SCHEDULE', '5'], ['RESOLVE_SCHEDULE', '5s,,1m'], ['RESOLVE_SCHEDULE', '0s'], ['RESOLVE_SCHEDULE', '5s;CANARY'], ['RESOLVE_SCHEDULE', '1.5s'], ['RESOLVE_SCHEDULE', '999999d'],
    ['WEBHOOK_SCHEDULE', Array.from({ length: 101 }, () => '1s').join()], ['LOOKUP_LAG_MS', 'CANARY'], ['ABSENCE_AFTER_MS', '-5'], ['JOB_POLL_MS', '0'], ['JOB_LEASE_MS', '1'],
    ['IDEMPOTENCY_LEASE_MS', '1e3'], ['BREAKER_RESET_MS', 'never'], ['SHUTDOWN_MS', '∞'], ['WORKER', 'on'], ['RATE_LIMIT_PER_MINUTE', '-1'], ['ALLOW_PRIVATE_WEBHOOK_URLS', 'yes'],
  ])('is told by the name of %s, what is expected, and never the value (%s)', (name, value) => {
    const lines = refusal({ [name]: value });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^${name} must be .`));
    expect(lines[0]).not.toContain('CANARY');
    expect(lines[0]).not.toMatch(/[\r\n]/);
  });

  it('is told whole, one line for each bad variable', () => {
    const names = refusal({ DATABASE_URL: undefined, PLATFORM_ADMIN_KEY: '', ENCRYPTION_KEYS: undefined, PORT: 'x', REQUEST_DEADLINE_MS: '10', GATEWAY_TIMEOUT_MS: '20' })
      .map((line) => line.split(' ')[0]);
    expect(names.sort()).toEqual(['DATABASE_URL', 'ENCRYPTION_KEYS', 'GATEWAY_TIMEOUT_MS', 'PLATFORM_ADMIN_KEY', 'PORT']);
    expect(refusal({ DATABASE_URL: '' })[0]).toMatch(/^DATABASE_URL is required: a mysql:\/\//);
  });
});

describe('production', () => {
  it.each(['CULQI_API_URL', 'CULQI_SECURE_URL', 'MERCADOPAGO_API_URL', 'PIXELPAY_API_URL', 'POSTMARK_API_URL'])('refuses a %s without https', (name) => {
    expect(refusal({ NODE_ENV: 'production', [name]: 'http://psp.example' })).toEqual([`${name} must be an https URL of scheme and host only when NODE_ENV=production`]);
    expect(readEnv({ ...REQUIRED, NODE_ENV: 'production', [name]: 'https://psp.example' }).hosts[name]?.host).toBe('psp.example');
  });

  it('refuses webhook URLs into our own network', () => {
    expect(refusal({ NODE_ENV: 'production', ALLOW_PRIVATE_WEBHOOK_URLS: 'true' })[0]).toContain('ALLOW_PRIVATE_WEBHOOK_URLS');
    expect(readEnv({ ...REQUIRED, NODE_ENV: 'production' })).toMatchObject({ production: true, allowPrivateWebhookUrls: false });
  });

  it('takes the host of a PSP that it does not know, and refuses it as it refuses others', () => {
    const env = readEnv({ ...REQUIRED, TOY_API_URL: 'http://127.0.0.1:4099' });
    expect(env.hosts.TOY_API_URL?.href).toBe('http://127.0.0.1:4099/');
    expect(() => readEnv({ ...REQUIRED, TOY_API_URL: 'http://127.0.0.1:4099/path' })).toThrow('TOY_API_URL');
    expect(() => readEnv({ ...REQUIRED, TOY_API_URL: 'http://127.0.0.1:4099', NODE_ENV: 'production' })).toThrow('TOY_API_URL');
  });
});
