import type { FastifyInstance } from 'fastify';

/** Which methods each path takes: Fastify answers a known path with another method as if the path were unknown. */
export class RouteTable {
  private readonly routes: { methods: string[]; pattern: RegExp }[] = [];

  /** Learns every route that is added from now on. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url }) => {
      this.routes.push({ methods: [method].flat(), pattern: patternOf(url) });
    });
  }

  /** The methods a path (without query) takes, sorted; none when no route has it. */
  methodsOf(path: string): string[] {
    return [...new Set(this.routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))].sort();
  }
}

/** `/v1/payments/:id` is one segment after `/v1/payments/`; `*` is anything. */
function patternOf(url: string): RegExp {
  const segments = url.split('/').map((segment) => {
    if (segment === '*') return '.*';
    return segment.startsWith(':') ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${segments.join('/')}$`);
}
