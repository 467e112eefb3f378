import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import type { Env } from '../../config/env.js';
import { withLog } from '../logging/logging.module.js';
import { serveApiDocs } from './api-docs.js';
import { readJsonBodies } from './json-body.js';
import { ProblemFilter } from './problem.filter.js';
import { addRequestHooks } from './request-hooks.js';
import { RouteTable } from './route-table.js';
import { serverOptions } from './server-options.js';
import { StrictValidationPipe } from './validation.js';

/** Puts the HTTP API together around a module; it does not listen yet. */
export async function createApp(module: DynamicModule, env: Env): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter(serverOptions(env));
  const fastify = adapter.getInstance();
  const routes = new RouteTable();
  routes.watch(fastify);
  addRequestHooks(fastify, env);
  readJsonBodies(fastify);

  const app = await NestFactory.create<NestFastifyApplication>(withLog(module, env), adapter, { bufferLogs: true, abortOnError: false, bodyParser: false });
  app.useLogger(app.get(Logger));
  app.useGlobalFilters(new ProblemFilter(routes));
  app.useGlobalPipes(new StrictValidationPipe());
  if (env.docs === 'on') serveApiDocs(app, env);
  return app;
}
