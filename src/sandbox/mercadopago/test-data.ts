import { type BookedPayment } from './payment.js';

/** What becomes of a payment with a token. Decided when the token is made, so that the card's number is never kept. */
export type Behaviour = { kind: 'approves' } | { kind: 'rejects'; detail: string } | { kind: 'reviews' } | { kind: 'challenges'; passes: boolean };

const rejects = (detail: string): Behaviour => ({ kind: 'rejects', detail });

/** The cardholder's name decides (mercadopago.md §11). The detail for each name is partly a reading of the pages. */
const NAMES: Readonly<Record<string, Behaviour>> = {
  APRO: { kind: 'approves' }, CONT: { kind: 'reviews' },
  OTHE: rejects('cc_rejected_other_reason'), CALL: rejects('cc_rejected_call_for_authorize'), FUND: rejects('cc_rejected_insufficient_amount'), SECU: rejects('cc_rejected_bad_filled_security_code'),
  EXPI: rejects('cc_rejected_bad_filled_date'), FORM: rejects('cc_rejected_bad_filled_other'), CARD: rejects('cc_rejected_bad_filled_card_number'), INST: rejects('cc_rejected_invalid_installments'),
  DUPL: rejects('cc_rejected_duplicated_payment'), LOCK: rejects('cc_rejected_card_disabled'), CTNA: rejects('cc_rejected_card_type_not_allowed'), ATTE: rejects('cc_rejected_max_attempts'),
  BLAC: rejects('cc_rejected_blacklist'), UNSU: rejects('cc_unsupported_unsupported'), TEST: rejects('cc_amount_rate_limit_exceeded'),
};

/** Cards that are challenged, and whether the challenge is passed (§2.5). */
const CHALLENGED: Readonly<Record<string, boolean>> = { 5483928164574623: true, 5361956806117557: false };

/** Yape's test phones, all with the code 123456 (§2.9). */
const PHONES: Readonly<Record<string, Behaviour>> = {
  111111111: { kind: 'approves' }, 111111112: rejects('cc_rejected_call_for_authorize'), 111111113: rejects('cc_amount_rate_limit_exceeded'), 111111114: rejects('cc_unsupported_unsupported'),
  111111115: rejects('cc_rejected_card_type_not_allowed'), 111111116: rejects('cc_rejected_max_attempts'), 111111117: rejects('cc_rejected_bad_filled_security_code'), 111111118: rejects('cc_rejected_form_error'),
};

/** What a card does. Names that are not listed are approved. */
export function behaviourOfCard(number: string, holder: string): Behaviour {
  const passes = CHALLENGED[number];
  return passes === undefined ? NAMES[holder.toUpperCase()] ?? { kind: 'approves' } : { kind: 'challenges', passes };
}

export function behaviourOfPhone(phone: string): Behaviour {
  return PHONES[phone] ?? rejects('cc_rejected_other_reason');
}

/** What a payment asks for beside: whether it may be challenged, must be authenticated, or must end at once (`binary_mode`). */
export type Conditions = { mayChallenge: boolean; mustAuthenticate?: boolean; isBinary?: boolean };

/** How a payment begins; a voucher has no token, and waits. */
export function firstState(behaviour: Behaviour | null, captures: boolean, { mayChallenge, mustAuthenticate = false, isBinary = false }: Conditions): Pick<BookedPayment, 'status' | 'status_detail'> {
  if (behaviour === null) return { status: 'pending', status_detail: 'pending_waiting_payment' };
  if (behaviour.kind === 'rejects') return { status: 'rejected', status_detail: behaviour.detail };
  if (mustAuthenticate && isBinary) return { status: 'rejected', status_detail: 'cc_rejected_3ds_mandatory' };
  if (behaviour.kind === 'reviews') return isBinary ? { status: 'rejected', status_detail: 'cc_rejected_other_reason' } : { status: 'in_process', status_detail: 'pending_contingency' };
  if (behaviour.kind === 'challenges' && (mayChallenge || mustAuthenticate) && !isBinary) return { status: 'pending', status_detail: 'pending_challenge' };
  return captures ? { status: 'approved', status_detail: 'accredited' } : { status: 'authorized', status_detail: 'pending_capture' };
}
