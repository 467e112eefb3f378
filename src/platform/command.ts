import { Logger } from '@nestjs/common';
import type { Options } from '@mikro-orm/mysql';
import { Logger as JsonLogger, PinoLogger } from 'nestjs-pino';
import type { Env } from '../config/env.js';
import { readEnvOrExit } from '../config/read-env-or-exit.js';
import { newId } from '../shared/id.js';
import { openDatabase } from './database/open-database.js';
import type { Database } from './database/database.js';
import { runWithTrace } from './http/trace.js';
import { openLog } from './logging/log.js';

/** What a command works with. `say` writes a line for a person; what is logged meanwhile is JSON, as everywhere. */
export type CommandTools = { env: Env; database: Database; say: (line: string) => void };

/** Runs a command over the service's environment and database, and exits with the code that it gives; 1 when it fails. */
export async function runCommand(ormOptions: (databaseUrl: string, connectionsMax: number) => Options, work: (tools: CommandTools) => Promise<number>): Promise<void> {
  const env = readEnvOrExit();
  const log = openLog(env);
  Logger.overrideLogger(new JsonLogger(new PinoLogger({ pinoHttp: { logger: log } }), {}));
  const database = await openDatabase(ormOptions(env.databaseUrl, 2));
  try {
    process.exitCode = await runWithTrace(newId('job'), () => work({ env, database, say: (line) => { process.stdout.write(`${line}\n`); } }));
  } catch (error) {
    log.error({ err: error }, 'the command failed');
    process.stderr.write(`Failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    await database.close();
  }
}
