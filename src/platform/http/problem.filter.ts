import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem, PROBLEMS } from '../../shared/problem.js';
import { problemOf } from './problem-of.js';
import { sendProblem } from './problem-reply.js';
import { requestContext } from './request-context.js';
import type { RouteTable } from './route-table.js';
import { runWithTrace } from './trace.js';

/** Answers everything that is thrown with a problem (RFC 9457), and logs what somebody should look at. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  constructor(private readonly routes: RouteTable) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = request.is404 && !(thrown instanceof Problem) ? this.missingRoute(request, reply) : problemOf(thrown);
    runWithTrace(requestContext(request).traceId, () => {
      this.record(problem);
      sendProblem(request, reply, problem);
    });
  }

  private missingRoute(request: FastifyRequest, reply: FastifyReply): Problem {
    const methods = this.routes.methodsOf(request.url.split('?', 1)[0] ?? '');
    if (methods.length === 0) return new Problem('route_not_found', 'There is no such route.');
    void reply.header('allow', methods.join(', '));
    return new Problem('method_not_allowed', `This route takes ${methods.join(', ')}.`);
  }

  /** What the client did wrong stands in the request's own log line. */
  private record(problem: Problem): void {
    const { code, detail, cause, errors } = problem;
    const { logLevel, title } = PROBLEMS[code];
    const line = { msg: title, code, detail, ...(errors === undefined ? {} : { fields: errors.map(({ field }) => field) }), ...(cause === undefined ? {} : { err: cause }) };
    if (logLevel === 'error') this.logger.error({ ...line, alert: true, err: cause ?? problem });
    else if (logLevel === 'warn') this.logger.warn(line);
  }
}
