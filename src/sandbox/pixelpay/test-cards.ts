/** What a card does when it is charged. Decided when it is tokenised, so that the number itself is never kept. */
export type CardBehaviour = { kind: 'completes' } | { kind: 'waits' } | { kind: 'refused'; code: RefusalCode };

/** The response codes that refuse a card, all with 402 (pixelpay.md §2.4). */
export const REFUSALS = {
  declined: 'The card was declined.',
  insufficient: 'The card has insufficient funds.',
  expired_card: 'The card has expired.',
  invalid_card: 'The card number is not valid.',
  fraud_detected: 'The payment was stopped by fraud rules.',
} as const;
export type RefusalCode = keyof typeof REFUSALS;

/** Test cards (pixelpay.md §2.4, "Emulator outcomes"). */
export const TEST_CARDS: Readonly<Record<string, CardBehaviour>> = {
  4111111111111111: { kind: 'completes' },
  4000000000000002: { kind: 'refused', code: 'declined' },
  4000000000009995: { kind: 'refused', code: 'insufficient' },
  4000000000000069: { kind: 'refused', code: 'expired_card' },
  4000000000000127: { kind: 'refused', code: 'invalid_card' },
  4000000000000119: { kind: 'refused', code: 'fraud_detected' },
  4000000000003220: { kind: 'waits' },
};

/** What the card with this number does; others complete. */
export function behaviourOf(number: string): CardBehaviour {
  return TEST_CARDS[number] ?? { kind: 'completes' };
}
