import { describe, expect, it } from '@jest/globals';
import { Problem, PROBLEMS, toProblemBody, type ProblemCode } from './problem.js';

/** design/api.md, "Conventions". */
const CONTRACT: Record<number, string[]> = {
  400: ['validation_failed', 'malformed_json', 'duplicate_property', 'json_too_deep', 'invalid_cursor', 'idempotency_key_required', 'idempotency_key_invalid', 'card_data_not_accepted'],
  401: ['unauthorized'],
  403: ['forbidden', 'approval_required'],
  404: ['not_found', 'route_not_found'],
  405: ['method_not_allowed'],
  409: ['invalid_state', 'operation_in_progress', 'idempotency_key_in_use', 'duplicate_reference', 'insufficient_credits', 'credits_already_spent'],
  413: ['body_too_large'],
  415: ['unsupported_media_type'],
  422: ['idempotency_key_reused', 'invalid_amount', 'currency_not_supported', 'no_eligible_gateway', 'gateway_not_configured', 'payment_method_declined', 'capability_missing', 'refund_exceeds_captured', 'capture_exceeds_authorized', 'external_id_reused'],
  429: ['rate_limited'],
  500: ['internal'],
  503: ['unavailable', 'gateway_unavailable'],
};

describe('a problem', () => {
  it.each(Object.entries(CONTRACT).flatMap(([status, codes]) => codes.map((code) => [code, Number(status)] as const)))('%s has the status %i of the contract', (code, status) => {
    expect(PROBLEMS[code as ProblemCode].status).toBe(status);
  });

  it('has the members of RFC 9457 and ours, and input errors only when there are any', () => {
    const place = { instance: '/v1/payments', traceId: 't1' };
    expect(toProblemBody(new Problem('duplicate_reference', 'It is taken.', { extra: { existingId: 'pay_1' } }), place)).toEqual({
      type: 'urn:smartpay:problem:duplicate_reference', title: PROBLEMS.duplicate_reference.title, status: 409, detail: 'It is taken.', instance: '/v1/payments',
      code: 'duplicate_reference', traceId: 't1', existingId: 'pay_1',
    });
    const errors = [{ field: 'amount', message: 'is required' }];
    expect(toProblemBody(new Problem('validation_failed', 'No.', { errors }), place)).toMatchObject({ errors });
  });

  it('keeps its cause to itself', () => {
    const problem = new Problem('internal', 'No.', { cause: new Error('CANARY') });
    expect(problem.cause).toEqual(new Error('CANARY'));
    expect(JSON.stringify(toProblemBody(problem, { instance: '/', traceId: 't' }))).not.toContain('CANARY');
  });
});
