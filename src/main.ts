import { AppModule } from './app.module.js';
import { readEnvOrExit } from './config/read-env-or-exit.js';
import { ormOptions } from './mikro-orm.config.js';
import { openDatabase } from './platform/database/open-database.js';
import { STATEMENT_MS_MAX } from './platform/database/pool.js';
import { superviseProcess } from './platform/health/supervise-process.js';
import { createApp } from './platform/http/create-app.js';
import { listenOrExit } from './platform/http/listen-or-exit.js';

/** The HTTP API, by default with the job runner in the same process. */
const env = readEnvOrExit();
const database = await openDatabase(ormOptions(env.databaseUrl, env.databasePool, STATEMENT_MS_MAX));
const app = await createApp(AppModule.api(env, database), env);
superviseProcess(app, env);
await listenOrExit(app, env);
