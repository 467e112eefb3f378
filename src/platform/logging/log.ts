import { join } from 'node:path';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { Env } from '../../config/env.js';
import { currentTraceId } from '../http/trace.js';
import { LogScrubber } from './log-scrubber.js';
import { loggedError } from './logged-error.js';

/** Members that are never logged, at the top of a line or one below. */
const SECRET_MEMBERS = [
  'authorization', 'cookie', 'token', 'tokens', 'credentials', 'secret', 'secretKey', 'apiKey', 'accessToken', 'webhookSecret', 'password', 'webhookPassword', 'clientToken', 'body', 'headers',
];

type LogEnv = Pick<Env,
  'logLevel' | 'logCaptureDir' | 'platformAdminKey' | 'encryptionKeys' | 'databaseUrl' | 'databaseMigratorUrl' | 'databaseReplicaUrl' | 'redisUrl' | 'amqpUrl' | 'postmarkServerToken' | 'metricsToken' | 'docsPassword'
>;

/** Opens the log: one JSON object a line on stdout, each with the trace id of the request or job in hand, each scrubbed. */
export function openLog(env: LogEnv, scrubber = new LogScrubber(secretsOf(env)), outlets: readonly DestinationStream[] = outletsOf(env)): Logger {
  return pino({
    level: env.logLevel,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: () => {
      const traceId = currentTraceId();
      return traceId === undefined ? {} : { traceId };
    },
    serializers: { err: (error: unknown) => loggedError(error) },
    redact: { paths: SECRET_MEMBERS.flatMap((member) => [member, `*.${member}`]), censor: '[redacted]' },
  }, {
    write: (line) => {
      const clean = scrubber.scrub(line);
      for (const outlet of outlets) outlet.write(clean);
    },
  });
}

/** The values that no line may hold whatever it is about. */
export function secretsOf(env: LogEnv): string[] {
  const passwords = [env.databaseUrl, env.databaseMigratorUrl, env.databaseReplicaUrl, env.redisUrl, env.amqpUrl].flatMap((url) => (url === undefined ? [] : [new URL(url).password]));
  return [env.platformAdminKey, ...env.encryptionKeys.map(({ key }) => key.toString('base64')), env.postmarkServerToken ?? '', env.metricsToken ?? '', env.docsPassword ?? '', ...passwords, ...passwords.map(decodeURIComponent)]
    .filter((secret) => secret !== '');
}

let captures = 0;

/** Standard output; in tests a file instead, so that they can see that nothing secret is in it. */
function outletsOf(env: LogEnv): DestinationStream[] {
  const outlets = [env.logCaptureDir === undefined
    ? pino.destination({ fd: 1, sync: true })
    : pino.destination({ dest: join(env.logCaptureDir, `${process.pid}-${++captures}.log`), append: true, mkdir: true, sync: true })];
  // A full disk or a closed pipe costs log lines, not payments.
  for (const outlet of outlets) outlet.on('error', () => undefined);
  return outlets;
}
