import { Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Env } from '../../config/env.js';
import { openLog } from './log.js';

/** Hands Nest's loggers to our log. `app.useLogger(app.get(Logger))`, with the Logger of nestjs-pino, makes it theirs. */
@Module({})
export class LoggingModule {
  /** Requests are logged by the HTTP hooks, which know the route: hence no middleware here. */
  static forRoot(env: Env): DynamicModule {
    return { module: LoggingModule, imports: [LoggerModule.forRoot({ pinoHttp: { logger: openLog(env), autoLogging: false, quietReqLogger: true }, forRoutes: [] })] };
  }
}

/** A module together with the log. */
export function withLog(module: DynamicModule, env: Env): DynamicModule {
  return { module: WithLog, imports: [LoggingModule.forRoot(env), module] };
}

@Module({})
class WithLog {}
