import { randomBytes } from 'node:crypto';
import { type CardBehaviour } from './test-cards.js';

/** What the payer's browser hands over after the challenge (culqi.md §1.6, "3DS in the browser"). */
export type ThreeDsOutcome = { parameters3DS: { eci: string; xid: string; cavv: string; protocolVersion: string; directoryServerTransactionId: string } } | { error: string };

/** Plays the payer: whoever's card fails only later, at the charge, is authenticated here. */
export function threeDsOutcome(behaviour: CardBehaviour | undefined): ThreeDsOutcome {
  if (behaviour?.kind !== 'asks_3ds') return { error: 'La tarjeta no pide autenticación.' };
  return {
    parameters3DS: {
      eci: '05', xid: randomBytes(20).toString('base64'), cavv: randomBytes(20).toString('base64'), protocolVersion: '2.2.0',
      directoryServerTransactionId: `${randomBytes(4).toString('hex')}-0000-4000-8000-${randomBytes(6).toString('hex')}`,
    },
  };
}
