/** What a card does when it is charged. Decided when it is tokenised, so that the number itself is never kept. */
export type CardBehaviour =
  | { kind: 'approves' }
  | { kind: 'declines'; declineCode: string }
  /** Refused by Culqi itself with an outcome code; its decline code is not published. */
  | { kind: 'refused'; outcomeCode: string }
  /** Asks for 3DS when the e-mail is review@culqi.com; `declineCode` if the authentication then fails. */
  | { kind: 'asks_3ds'; declineCode: string | null };

export interface PublishedCard {
  number: string;
  cvv: string;
  behaviour: CardBehaviour;
}

const approves: CardBehaviour = { kind: 'approves' };
const declines = (declineCode: string): CardBehaviour => ({ kind: 'declines', declineCode });
const refused = (outcomeCode: string): CardBehaviour => ({ kind: 'refused', outcomeCode });
/** Culqi does not publish which decline code a failed authentication gives; these are its nearest. */
const asks3ds = (declineCode: string | null): CardBehaviour => ({ kind: 'asks_3ds', declineCode });

/** Culqi's published test cards (culqi.md §1.16). The CVV of a card that approves is not checked: no rule for it is published. */
export const PUBLISHED_CARDS: readonly PublishedCard[] = [
  { number: '4111111111111111', cvv: '123', behaviour: approves },
  { number: '4111111110101113', cvv: '123', behaviour: approves },
  { number: '5111111111111118', cvv: '039', behaviour: approves },
  { number: '371212121212122', cvv: '2841', behaviour: approves },
  { number: '36001212121210', cvv: '964', behaviour: approves },
  { number: '4000020000000000', cvv: '354', behaviour: declines('stolen_card') },
  { number: '4000030000000009', cvv: '836', behaviour: declines('lost_card') },
  { number: '4000040000000008', cvv: '295', behaviour: declines('insufficient_funds') },
  { number: '5400000000000005', cvv: '492', behaviour: declines('contact_issuer') },
  { number: '5400020000000003', cvv: '203', behaviour: declines('incorrect_cvv') },
  { number: '370001000000000', cvv: '2511', behaviour: declines('issuer_not_available') },
  { number: '370002000000008', cvv: '1810', behaviour: declines('issuer_decline_operation') },
  { number: '36000000000008', cvv: '683', behaviour: declines('invalid_card') },
  { number: '36000100000007', cvv: '820', behaviour: declines('processing_error') },
  { number: '36000200000006', cvv: '230', behaviour: declines('fraudulent') },
  { number: '4111110000000013', cvv: '123', behaviour: refused('DNGE0087') },
  { number: '4111110000000021', cvv: '123', behaviour: refused('CULQ0001') },
  { number: '4111110000000039', cvv: '123', behaviour: refused('CULQ0003') },
  { number: '4111110000000047', cvv: '123', behaviour: refused('PREV0009') },
  { number: '4111110000000054', cvv: '123', behaviour: refused('PREV0091') },
  { number: '4111110000000062', cvv: '123', behaviour: refused('PREV0001') },
  { number: '4111110000000070', cvv: '123', behaviour: refused('DNGA0323') },
  { number: '4456530000001096', cvv: '111', behaviour: asks3ds(null) },
  { number: '5200000000001096', cvv: '111', behaviour: asks3ds(null) },
  { number: '4456530000001005', cvv: '111', behaviour: asks3ds(null) },
  { number: '5200000000001005', cvv: '111', behaviour: asks3ds(null) },
  { number: '4456530000001070', cvv: '111', behaviour: asks3ds('processing_error') },
  { number: '5200000000001070', cvv: '111', behaviour: asks3ds('processing_error') },
  { number: '4456530000001013', cvv: '111', behaviour: asks3ds('issuer_decline_operation') },
  { number: '5200000000001013', cvv: '111', behaviour: asks3ds('issuer_decline_operation') },
];

const BEHAVIOURS = new Map(PUBLISHED_CARDS.map(({ number, behaviour }) => [number, behaviour]));

/** What the card with this number does. Every published card is a test card, which a live key cannot charge (`culqi_card`); others approve. */
export function behaviourOf(number: string, environment: 'test' | 'live'): CardBehaviour {
  const published = BEHAVIOURS.get(number);
  if (published === undefined) return approves;
  return environment === 'live' ? declines('culqi_card') : published;
}
