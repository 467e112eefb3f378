import type { FeeRule } from '../shared/fees.js';
import { Problem } from '../shared/problem.js';
import type { FeeRuleDto } from './dto/fee-rule.dto.js';

/** Fee rules as they are stored. @throws Problem `validation_failed` for a fixed part in another currency without a rate */
export function feeRulesOf(given: readonly FeeRuleDto[], field: string): FeeRule[] {
  return given.map(({ currency, method, percentBps, fixed, taxBps }, i) => {
    if (fixed != null && fixed.currency !== currency && fixed.rate == null) {
      throw new Problem('validation_failed', 'The request is not valid.', { errors: [{ field: `${field}.${i}.fixed.rate`, message: `is required: the fixed part is in ${fixed.currency}, the payments in ${currency}` }] });
    }
    return {
      currency, percentBps, ...(method == null ? {} : { method }), ...(taxBps == null ? {} : { taxBps }),
      ...(fixed == null ? {} : { fixed: { amount: fixed.amount, currency: fixed.currency, ...(fixed.rate == null ? {} : { rate: String(fixed.rate) }) } }),
    };
  });
}

export function storedFeeRules(column: string | null): FeeRule[] {
  return column === null ? [] : JSON.parse(column) as FeeRule[];
}
