import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.js';

/** From a read to the longest request deadline that makes sense. */
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

/** Measures each request that is answered, by the pattern of its route: never by its address, which anybody may make up. */
export function measureRequests(fastify: FastifyInstance, metrics: Metrics): void {
  const duration = metrics.histogram({
    name: 'smartpay_http_request_duration_seconds', help: 'Requests answered, from their head to the end of the answer.',
    labelNames: ['method', 'route', 'status'], buckets: BUCKETS_SECONDS,
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched';
    const method = KNOWN_METHODS.has(request.method) ? request.method : 'other';
    duration.observe({ method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    done();
  });
}
