import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { PROBLEMS, Problem, toProblemBody, type ProblemCode } from '../../shared/problem.js';
import { PROBLEM_TYPE } from './problem-reply.js';
import { ProblemDto } from './problem.dto.js';

/** Documents the problems that a route, or every route of a controller, answers with: one response a status, one example a code. */
export function Problems(...codes: ProblemCode[]): ClassDecorator & MethodDecorator {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))];
  const byStatus = statuses.map((status) => ({ status, ofStatus: codes.filter((code) => PROBLEMS[code].status === status) }));
  return applyDecorators(ApiExtraModels(ProblemDto), ...byStatus.map(({ status, ofStatus }) => ApiResponse({
    status,
    description: ofStatus.map((code) => PROBLEMS[code].title).join('; '),
    content: { [PROBLEM_TYPE]: { schema: { $ref: getSchemaPath(ProblemDto) }, examples: Object.fromEntries(ofStatus.map((code) => [code, { value: example(code) }])) } },
  })));
}

function example(code: ProblemCode): Record<string, unknown> {
  const errors = code === 'validation_failed' ? { errors: [{ field: 'amount', message: 'is required' }] } : {};
  return toProblemBody(new Problem(code, PROBLEMS[code].title, errors), { instance: '/v1/payments', traceId: '4bf92f3577b34da6a3ce929d0e0e4736' });
}
