import { z } from 'zod';
import { parseSchedule } from './duration.js';
import { parseEncryptionKeys } from './encryption-keys.js';
import type { Env } from './env.js';
import { host, oneOf, publicUrl, serverUrl, share, trustedProxies, variable, visibleAscii, wholeNumber } from './variable.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** design/architecture.md §5; the last six days daily, so that the last look-up comes after seven days. */
const RESOLVE_SCHEDULE = '5s,15s,1m,5m,30m,2h,6h,24h,1d,1d,1d,1d,1d,1d';
/** The example schedule of the Standard Webhooks specification, lengthened to three days. */
const WEBHOOK_SCHEDULE = '5s,5m,30m,2h,5h,10h,14h,20h,24h';

const HOSTS = {
  CULQI_API_URL: 'https://api.culqi.com',
  CULQI_SECURE_URL: 'https://secure.culqi.com',
  MERCADOPAGO_API_URL: 'https://api.mercadopago.com',
  PIXELPAY_API_URL: 'https://api.pixelpay.com.do',
  POSTMARK_API_URL: 'https://api.postmarkapp.com',
} as const;

/** Hosts of PSPs that this file does not know: each brings its variable, and the default, in its own folder (gateways/contract/gateway-definition.ts). */
export function otherHostsSchema(production: boolean, names: readonly string[]) {
  const others = names.filter((name) => /^[A-Z][A-Z0-9]{1,30}_API_URL$/.test(name) && !Object.hasOwn(HOSTS, name));
  return z.object(Object.fromEntries(others.map((name) => [name, host(production)])));
}

const database = serverUrl('a mysql:// or mariadb:// URL with a database name', ['mysql:', 'mariadb:'], true);
const schedule = variable('delays such as 500ms,5s,1m,2h,1d with commas between', parseSchedule);
const mailbox = variable('an e-mail address, or a name and <address>', (text) => (/^(?:[^<>\p{Cc}]{1,80}<)?[^\s<>@]{1,64}@[^\s<>@]{1,255}>?$/u.test(text) ? text : null));
const privateUrls = (production: boolean) => variable(`true or false${production ? ', and false when NODE_ENV=production' : ''}`, (text) => {
  if (text === 'false') return false;
  return text === 'true' && !production ? true : null;
});

/** Every variable of design/api.md, and LOG_CAPTURE_DIR of the tests; others are not looked at. */
export function environmentSchema(production: boolean) {
  const hostOf = (name: keyof typeof HOSTS) => host(production).default(() => new URL(HOSTS[name]));
  return z.object({
    DATABASE_URL: database,
    DATABASE_MIGRATOR_URL: database.optional(),
    DATABASE_REPLICA_URL: database.optional(),
    DATABASE_POOL: wholeNumber(1, 1_000).default(20),
    PORT: wholeNumber(1, 65_535).default(3000),
    PUBLIC_URL: publicUrl().optional(),
    PLATFORM_ADMIN_KEY: visibleAscii(20),
    ENCRYPTION_KEYS: variable('kid:base64 of 32 bytes, with commas between, each kid once', parseEncryptionKeys),
    CULQI_API_URL: hostOf('CULQI_API_URL'),
    CULQI_SECURE_URL: hostOf('CULQI_SECURE_URL'),
    MERCADOPAGO_API_URL: hostOf('MERCADOPAGO_API_URL'),
    PIXELPAY_API_URL: hostOf('PIXELPAY_API_URL'),
    POSTMARK_API_URL: hostOf('POSTMARK_API_URL'),
    POSTMARK_SERVER_TOKEN: visibleAscii(1).optional(),
    MAIL_FROM: mailbox.optional(),
    AMQP_URL: serverUrl('an amqp:// or amqps:// URL', ['amqp:', 'amqps:'], false).optional(),
    LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
    TRUST_PROXY: trustedProxies().default(false),
    GATEWAY_TIMEOUT_MS: wholeNumber(1, 10 * MINUTE_MS).optional(),
    REQUEST_DEADLINE_MS: wholeNumber(1, 10 * MINUTE_MS).default(25_000),
    RESOLVE_SCHEDULE: schedule.default(() => parseSchedule(RESOLVE_SCHEDULE) ?? []),
    LOOKUP_LAG_MS: wholeNumber(0, DAY_MS).optional(),
    ABSENCE_AFTER_MS: wholeNumber(0, 30 * DAY_MS).optional(),
    JOB_POLL_MS: wholeNumber(1, 10 * MINUTE_MS).default(200),
    JOB_LEASE_MS: wholeNumber(10, DAY_MS).default(30_000),
    IDEMPOTENCY_LEASE_MS: wholeNumber(10, DAY_MS).optional(),
    WEBHOOK_SCHEDULE: schedule.default(() => parseSchedule(WEBHOOK_SCHEDULE) ?? []),
    BREAKER_RESET_MS: wholeNumber(1, DAY_MS).default(5_000),
    SHUTDOWN_MS: wholeNumber(0, 10 * MINUTE_MS).default(30_000),
    DRAIN_MS: wholeNumber(0, 5 * MINUTE_MS).default(1_000),
    WORKER: oneOf('inline', 'off').default('inline'),
    NEW_PAYMENTS: oneOf('on', 'off').default('on'),
    WORKER_PORT: wholeNumber(1, 65_535).optional(),
    RATE_LIMIT_PER_MINUTE: wholeNumber(0, 1_000_000).default(600),
    REDIS_URL: serverUrl('a redis:// or rediss:// URL', ['redis:', 'rediss:'], false).optional(),
    OTEL_EXPORTER_OTLP_ENDPOINT: publicUrl().optional(),
    OTEL_TRACES_SAMPLER_ARG: share().default(1),
    METRICS_TOKEN: visibleAscii(16).optional(),
    DOCS: oneOf('on', 'off').default('on'),
    DOCS_PASSWORD: visibleAscii(12).optional(),
    ALLOW_PRIVATE_WEBHOOK_URLS: privateUrls(production).default(false),
    LOG_CAPTURE_DIR: z.string().optional(),
  }).refine(callFitsRequest, { path: ['GATEWAY_TIMEOUT_MS'], message: 'less than REQUEST_DEADLINE_MS', when: () => true })
    .transform((read): Env => ({
      production,
      databaseUrl: read.DATABASE_URL, databaseMigratorUrl: read.DATABASE_MIGRATOR_URL, databaseReplicaUrl: read.DATABASE_REPLICA_URL, databasePool: read.DATABASE_POOL,
      port: read.PORT, publicUrl: read.PUBLIC_URL ?? new URL(`http://localhost:${read.PORT}`),
      platformAdminKey: read.PLATFORM_ADMIN_KEY, encryptionKeys: read.ENCRYPTION_KEYS,
      hosts: Object.fromEntries(hostNames.map((name) => [name, read[name]])),
      postmarkServerToken: read.POSTMARK_SERVER_TOKEN, mailFrom: read.MAIL_FROM, amqpUrl: read.AMQP_URL,
      logLevel: read.LOG_LEVEL, trustProxy: read.TRUST_PROXY,
      gatewayTimeoutMs: read.GATEWAY_TIMEOUT_MS ?? gatewayTimeoutMsWithin(read.REQUEST_DEADLINE_MS), requestDeadlineMs: read.REQUEST_DEADLINE_MS,
      resolveScheduleMs: read.RESOLVE_SCHEDULE, lookupLagMs: read.LOOKUP_LAG_MS, absenceAfterMs: read.ABSENCE_AFTER_MS,
      jobPollMs: read.JOB_POLL_MS, jobLeaseMs: read.JOB_LEASE_MS, idempotencyLeaseMs: read.IDEMPOTENCY_LEASE_MS ?? read.REQUEST_DEADLINE_MS + 10_000,
      webhookScheduleMs: read.WEBHOOK_SCHEDULE, breakerResetMs: read.BREAKER_RESET_MS, shutdownMs: read.SHUTDOWN_MS, drainMs: read.DRAIN_MS,
      worker: read.WORKER, workerPort: read.WORKER_PORT, newPayments: read.NEW_PAYMENTS, rateLimitPerMinute: read.RATE_LIMIT_PER_MINUTE, redisUrl: read.REDIS_URL,
      traceEndpoint: read.OTEL_EXPORTER_OTLP_ENDPOINT, traceShare: read.OTEL_TRACES_SAMPLER_ARG,
      metricsToken: read.METRICS_TOKEN, docs: read.DOCS, docsPassword: read.DOCS_PASSWORD, allowPrivateWebhookUrls: read.ALLOW_PRIVATE_WEBHOOK_URLS,
      logCaptureDir: read.LOG_CAPTURE_DIR,
    }));
}

const hostNames = Object.keys(HOSTS) as (keyof typeof HOSTS)[];

/** Checked also when other variables are bad, hence with parts missing: one look at the message should do. */
function callFitsRequest(read: { GATEWAY_TIMEOUT_MS?: number | undefined; REQUEST_DEADLINE_MS?: number }): boolean {
  const { GATEWAY_TIMEOUT_MS: callMs, REQUEST_DEADLINE_MS: requestMs } = read;
  return typeof callMs !== 'number' || typeof requestMs !== 'number' || callMs < requestMs;
}

/** 15 s of 25 s; a request that must be done sooner leaves its PSP call less. */
function gatewayTimeoutMsWithin(requestDeadlineMs: number): number {
  return Math.max(1, Math.min(15_000, Math.floor(requestDeadlineMs * 3 / 5)));
}
