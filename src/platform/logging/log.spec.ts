import { describe, expect, it } from '@jest/globals';
import { runWithTrace } from '../http/trace.js';
import { LogScrubber, SCRUBBED } from './log-scrubber.js';
import { openLog, secretsOf } from './log.js';

const ENV = {
  logLevel: 'info', logCaptureDir: undefined, platformAdminKey: 'pak_0123456789abcdefghij', encryptionKeys: [{ kid: 'k1', key: Buffer.alloc(32, 9) }],
  databaseUrl: 'mysql://app:p%40ssw0rd!@db/smartpay', databaseReplicaUrl: undefined, postmarkServerToken: 'postmark-token-1', amqpUrl: 'amqp://guest:rabbitpassword@mq',
  databaseMigratorUrl: 'mysql://migrator:migratorpassword@db/smartpay', redisUrl: 'redis://:redispassword@cache', metricsToken: 'metrics-token-1', docsPassword: 'docs-password-1',
} as const;

function log(): { log: ReturnType<typeof openLog>; lines: () => Record<string, unknown>[] } {
  const written: string[] = [];
  return {
    log: openLog(ENV, new LogScrubber(secretsOf(ENV)), [{ write: (line) => { written.push(line); } }]),
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('the log', () => {
  it('has one JSON object a line, with level, time and the trace of the work in hand', () => {
    const { log: logger, lines } = log();
    logger.info('outside');
    runWithTrace('t1', () => { logger.warn({ jobId: 'job_1' }, 'inside\nthe job'); });
    logger.debug('not at this level');
    expect(lines()).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown, pid: process.pid, msg: 'outside' },
      { level: 'warn', time: expect.any(String) as unknown, pid: process.pid, traceId: 't1', jobId: 'job_1', msg: 'inside\nthe job' },
    ]);
  });

  it('tells of an error what it is and where it came from, and nothing else that hangs on it', () => {
    const { log: logger, lines } = log();
    const cause = Object.assign(new Error('Duplicate entry'), { code: 'ER_DUP_ENTRY', errno: 1062, sql: 'insert into payments values (CANARY)' });
    logger.error({ err: Object.assign(new TypeError('it broke', { cause }), { config: { headers: 'CANARY' } }) }, 'failed');
    expect(lines()[0]).toMatchObject({ err: { type: 'TypeError', message: 'it broke', stack: expect.stringContaining('log.spec') as unknown, cause: { code: 'ER_DUP_ENTRY' } } });
    expect(JSON.stringify(lines())).not.toContain('CANARY');
  });

  it('takes anything for an error, even one that causes itself', () => {
    const { log: logger, lines } = log();
    const own = new Error('own');
    own.cause = own;
    for (const err of [own, 'text', undefined, null, 5, {}]) logger.error({ err }, 'failed');
    expect(lines()).toHaveLength(6);
  });

  it('never has the values of the platform\'s own secrets', () => {
    const { log: logger, lines } = log();
    const secrets = ['pak_0123456789abcdefghij', Buffer.alloc(32, 9).toString('base64'), 'p%40ssw0rd!', 'p@ssw0rd!', 'postmark-token-1', 'metrics-token-1', 'docs-password-1', 'rabbitpassword', 'migratorpassword', 'redispassword'];
    expect(secretsOf(ENV).sort()).toEqual([...secrets, 'rabbitpassword', 'migratorpassword', 'redispassword'].sort()); // each password as written and decoded
    logger.info({ env: secrets }, secrets.join(' '));
    expect(lines()[0]).toMatchObject({ env: secrets.map(() => SCRUBBED), msg: secrets.map(() => SCRUBBED).join(' ') });
  });

  it('never has members that are secret by their name', () => {
    const { log: logger, lines } = log();
    logger.info({ token: 'short', order: { tokens: { culqi: 'short' }, password: 'short', credentials: { a: 'short' } }, body: 'short', headers: { a: 'short' } });
    expect(JSON.stringify(lines())).not.toContain('short');
  });
});
