import type { EncryptionKey } from './encryption-keys.js';

/** The environment, checked and in the units its names say. `design/api.md` lists the variables. */
export type Env = {
  production: boolean;
  databaseUrl: string;
  /** As whom `migrate` connects; without it as the service itself. */
  databaseMigratorUrl: string | undefined;
  databaseReplicaUrl: string | undefined;
  databasePool: number;
  port: number;
  publicUrl: URL;
  platformAdminKey: string;
  /** The first encrypts; all decrypt. */
  encryptionKeys: readonly EncryptionKey[];
  /** Base addresses of the PSPs and the mailer, by the name of their variable, such as CULQI_API_URL. */
  hosts: Readonly<Record<string, URL>>;
  postmarkServerToken: string | undefined;
  mailFrom: string | undefined;
  amqpUrl: string | undefined;
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** Whose X-Forwarded-For is believed: nobody's, everybody's, that of so many hops, or that of these addresses. */
  trustProxy: boolean | number | string[];
  gatewayTimeoutMs: number;
  requestDeadlineMs: number;
  /** Delays before each look-up of an unknown outcome, each counted from the one before. */
  resolveScheduleMs: readonly number[];
  /** Overrides every PSP's profile. */
  lookupLagMs: number | undefined;
  /** Overrides every PSP's profile. */
  absenceAfterMs: number | undefined;
  jobPollMs: number;
  jobLeaseMs: number;
  idempotencyLeaseMs: number;
  webhookScheduleMs: readonly number[];
  breakerResetMs: number;
  shutdownMs: number;
  /** How long a process that was told to stop goes on answering, no longer ready, before it closes its port. */
  drainMs: number;
  worker: 'inline' | 'off';
  /** Where a worker alone shows its health and metrics; without it nowhere. */
  workerPort: number | undefined;
  /** Whether payments may be made and confirmed; everything else always works. */
  newPayments: 'on' | 'off';
  /** Per key; 0 is no limit. */
  rateLimitPerMinute: number;
  /** Where requests are counted for all instances together; without it each counts by itself. */
  redisUrl: string | undefined;
  /** What /metrics demands as a bearer token; without it the page is open. */
  metricsToken: string | undefined;
  /** The OpenTelemetry collector that spans are sent to; without it nothing is traced. */
  traceEndpoint: URL | undefined;
  /** Of traces without trouble, the share that is sent: 0 to 1. */
  traceShare: number;
  /** Whether /docs is served. */
  docs: 'on' | 'off';
  /** What /docs demands by Basic authentication; without it the page is open. */
  docsPassword: string | undefined;
  allowPrivateWebhookUrls: boolean;
  /** Directory to which tests have every log line copied. */
  logCaptureDir: string | undefined;
};
