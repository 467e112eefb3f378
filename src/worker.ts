import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module.js';
import { readEnvOrExit } from './config/read-env-or-exit.js';
import { ormOptions } from './mikro-orm.config.js';
import { openDatabase } from './platform/database/open-database.js';
import { STATEMENT_MS_MAX } from './platform/database/pool.js';
import { superviseProcess } from './platform/health/supervise-process.js';
import { withLog } from './platform/logging/logging.module.js';

/** The job runner alone. */
const env = readEnvOrExit();
const database = await openDatabase(ormOptions(env.databaseUrl, env.databasePool, STATEMENT_MS_MAX));
const app = await NestFactory.createApplicationContext(withLog(AppModule.worker(env, database), env), { bufferLogs: true });
app.useLogger(app.get(Logger));
superviseProcess(app, env);
