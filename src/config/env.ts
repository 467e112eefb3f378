import type { EncryptionKey } from './encryption-keys.js';
import { environmentSchema } from './environment-schema.js';

/** The environment, checked and in the units its names say. `design/api.md` lists the variables. */
export type Env = {
  production: boolean;
  databaseUrl: string;
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
  worker: 'inline' | 'off';
  /** Per key; 0 is no limit. */
  rateLimitPerMinute: number;
  allowPrivateWebhookUrls: boolean;
  /** Directory to which tests have every log line copied. */
  logCaptureDir: string | undefined;
};

/** The environment cannot be used. `lines` has one line for each bad variable, and never a value. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';

  constructor(readonly lines: readonly string[]) {
    super(`The environment cannot be used:\n${lines.join('\n')}`);
  }
}

/** Reads the environment; an empty variable counts as not set. @throws EnvironmentError naming every bad variable and what is expected. */
export function readEnv(source: NodeJS.ProcessEnv): Env {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema(given.NODE_ENV === 'production').safeParse(given);
  if (parsed.success) return parsed.data;

  const lines = new Map<string, string>();
  for (const { path, message } of parsed.error.issues) {
    const name = String(path[0]);
    if (!lines.has(name)) lines.set(name, given[name] === undefined ? `${name} is required: ${message}` : `${name} must be ${message}`);
  }
  throw new EnvironmentError([...lines.values()]);
}
