import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Secrets of the tests. What the log-hygiene phase must never find in a log line. */
export const PLATFORM_ADMIN_KEY = 'pak_canary_Qm7Zr2Xw9Lt4Vb8Nc3Kd';
const ENCRYPTION_KEY = Buffer.from('canary-encryption-key-32-bytes!!').toString('base64');

/** The environment of a service under test; times are short so that a test sees the whole life of a payment. */
export function testEnvironment(databaseUrl: string, sandboxUrl: string, changes: Record<string, string> = {}): Record<string, string> {
  rememberCanaries([PLATFORM_ADMIN_KEY, ENCRYPTION_KEY]);
  return {
    DATABASE_URL: databaseUrl, PLATFORM_ADMIN_KEY, ENCRYPTION_KEYS: `k1:${ENCRYPTION_KEY}`,
    CULQI_API_URL: sandboxUrl, CULQI_SECURE_URL: sandboxUrl, PIXELPAY_API_URL: sandboxUrl, MERCADOPAGO_API_URL: sandboxUrl,
    GATEWAY_TIMEOUT_MS: '1500', REQUEST_DEADLINE_MS: '5000', IDEMPOTENCY_LEASE_MS: '2500',
    RESOLVE_SCHEDULE: '200ms,300ms,500ms,1s,2s', LOOKUP_LAG_MS: '200', ABSENCE_AFTER_MS: '300', JOB_POLL_MS: '50', JOB_LEASE_MS: '4000', SHUTDOWN_MS: '5000', DRAIN_MS: '0', RATE_LIMIT_PER_MINUTE: '0',
    ...(process.env.LOG_CAPTURE_DIR === undefined ? {} : { LOG_CAPTURE_DIR: process.env.LOG_CAPTURE_DIR }),
    ...changes,
  };
}

/** Tells the log-hygiene phase of `npm test` what else must appear in no log line. */
export function rememberCanaries(values: readonly string[]): void {
  const directory = process.env.LOG_CAPTURE_DIR;
  if (directory !== undefined) appendFileSync(join(dirname(directory), 'canaries.txt'), values.map((value) => `${value}\n`).join(''));
}
