import { describe, expect, it } from '@jest/globals';
import { DECLINE_CODES as CONTRACT_CODES } from '../gateways/contract/payment-gateway.js';
import type { FailureCode } from './failure.js';
import { ADVICE, adviceFor, userMessage } from './user-messages.js';

/** Every code of the HTTP contract (design/api.md, "failure"). */
const CODES: FailureCode[] = [
  'card_declined', 'insufficient_funds', 'expired_card', 'invalid_card', 'incorrect_cvc', 'fraud_suspected', 'stolen_or_lost_card', 'issuer_unavailable', 'contact_issuer', 'limit_exceeded',
  'authentication_failed', 'processing_error', 'gateway_unavailable', 'gateway_misconfigured', 'expired',
];

describe('what a customer is told', () => {
  it('has every code of the contract', () => {
    expect(CODES.filter((code) => CONTRACT_CODES.includes(code as never))).toEqual([...CONTRACT_CODES]);
  });

  it.each(CODES)('of %s, is a sentence in Spanish and another in English, and advice', (code) => {
    const [spanish, english] = [userMessage(code, 'es-PE'), userMessage(code, 'en')];
    for (const text of [spanish, english]) expect(text).toMatch(/^\p{Lu}.*\.$/u);
    expect(spanish).not.toBe(english);
    expect(ADVICE).toContain(adviceFor(code));
  });

  it('never says that a card is stolen or suspected', () => {
    for (const code of ['stolen_or_lost_card', 'fraud_suspected'] as const) {
      for (const locale of ['es', 'en']) expect(userMessage(code, locale)).toBe(userMessage('card_declined', locale));
    }
  });
});
