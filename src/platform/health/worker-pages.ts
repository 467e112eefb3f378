import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Inject, Module, type BeforeApplicationShutdown, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import type { Env } from '../../config/env.js';
import { Database } from '../database/database.js';
import { bearerOf, isSame } from '../http/operator-pages.js';
import { collectProcess } from '../metrics/collect.js';
import { Metrics } from '../metrics/metrics.js';
import { ENV } from '../tokens.js';
import { readinessOf, type ReadinessCheck } from './readiness.js';

const OPTIONS = Symbol('WorkerPagesOptions');
type Options = { checks: readonly ReadinessCheck[]; jobKinds: readonly string[] };

const HEADERS_MS_MAX = 5_000;

/** A worker answers no API; where WORKER_PORT is set, it answers `/health/live`, `/health/ready` and `/metrics` as the API does. */
@Module({})
export class WorkerPages implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private server: Server | undefined;

  constructor(
    @Inject(ENV) private readonly env: Env,
    @Inject(OPTIONS) private readonly options: Options,
    private readonly metrics: Metrics,
    private readonly database: Database,
  ) {}

  static forRoot(options: Options): DynamicModule {
    return { module: WorkerPages, providers: [{ provide: OPTIONS, useValue: options }] };
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.env.workerPort === undefined) return;
    collectProcess(this.metrics, this.database, this.options.jobKinds);
    const server = createServer({ requestTimeout: HEADERS_MS_MAX, headersTimeout: HEADERS_MS_MAX }, (request, reply) => {
      this.answer(request, reply).catch(() => reply.writeHead(500).end());
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => { server.once('error', reject).listen(this.env.workerPort, resolve); });
  }

  beforeApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private async answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const send = (status: number, type: string, body: string): void => { reply.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body); };
    const json = (status: number, body: object): void => { send(status, 'application/json; charset=utf-8', JSON.stringify(body)); };
    if (request.method !== 'GET' && request.method !== 'HEAD') json(405, {});
    else if (request.url === '/health/live') json(200, { status: 'ok' });
    else if (request.url === '/health/ready') {
      const readiness = await readinessOf(this.options.checks);
      json(readiness.status === 'ok' ? 200 : 503, readiness);
    } else if (request.url !== '/metrics') json(404, {});
    else if (this.env.metricsToken !== undefined && !isSame(bearerOf(request) ?? '', this.env.metricsToken)) json(401, {});
    else send(200, this.metrics.registry.contentType, await this.metrics.registry.metrics());
  }
}
