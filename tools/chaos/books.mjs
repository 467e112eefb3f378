// What the PSPs truly did, from the emulators' own books, in one form: `charges` by our attempt id, in minor units.

/**
 * @returns charges `{ psp, merchant, reference, attemptId, amount, currency, state, captured, refunded, isReserved, refunds }` of all merchants. `merchant` is
 * the suffix of its keys; `state`: captured, reserved, waiting, or over (failed or let go of); `refunds`: of captured money, those that were done, `{ reference, amount }`.
 */
export async function allCharges(world) {
  const [culqi, mercadopago, pixelpay] = await Promise.all(['culqi', 'mercadopago', 'pixelpay'].map((gateway) => world.emulators[gateway].ask('GET', 'books')));
  return [
    ...culqi.charges.map((charge) => charged({
      psp: 'culqi', merchant: suffixOf(charge), reference: charge.id, attemptId: charge.metadata?.attempt_id ?? null, amount: charge.amount, currency: charge.currency_code,
      state: !charge.approved ? 'over' : charge.capture ? 'captured' : charge.current_amount > 0 ? 'reserved' : 'over', given: charge.amount_refunded,
      refunds: culqi.refunds.filter((refund) => refund.charge_id === charge.id).map(({ id, amount }) => ({ reference: id, amount })),
    })),
    ...mercadopago.payments.map((payment) => charged({
      psp: 'mercadopago', merchant: suffixOf(payment), reference: payment.isOrder ? named('ORD', payment.id) : String(payment.id), attemptId: payment.external_reference, amount: payment.amount,
      currency: { MPE: 'PEN' }[payment.site], state: { approved: 'captured', refunded: 'captured', charged_back: 'captured', authorized: 'reserved', pending: 'waiting', in_process: 'waiting' }[payment.status] ?? 'over',
      refunds: payment.refunds.filter(({ status }) => status === 'approved').map(({ id, amount }) => ({ reference: payment.isOrder ? named('REF', id) : String(id), amount })),
    })),
    ...pixelpay.payments.map((payment) => charged({
      psp: 'pixelpay', merchant: suffixOf(payment), reference: payment.txn_id, attemptId: payment.order_id, amount: payment.amount, currency: payment.currency,
      state: { completed: 'captured', pending: 'waiting' }[payment.status] ?? 'over', given: payment.refunded,
      refunds: pixelpay.refunds.filter((refund) => refund.txn_id === payment.txn_id && refund.status === 'completed').map(({ refund_id: id, amount }) => ({ reference: id, amount })),
    })),
  ];
}

const suffixOf = ({ merchant }) => merchant.slice(merchant.indexOf('_') + 1);
/** As orders of MercadoPago's, and what belongs to them, are called. */
const named = (prefix, id) => `${prefix}01${String(id).padStart(24, '0')}`;

/** `given`: what the PSP itself counts as given back, which the sum of its refunds must be. */
function charged({ given, ...charge }) {
  const refunds = charge.state === 'captured' ? charge.refunds : [];
  const refunded = refunds.reduce((sum, { amount }) => sum + amount, 0);
  return { ...charge, refunds, captured: charge.state === 'captured' ? charge.amount : 0, refunded: charge.state === 'captured' ? given ?? refunded : 0, isReserved: charge.state === 'reserved' };
}

/** Webhooks that were answered with 2xx, `{ gateway, merchant, event, at, body }`: what they said must be stored. `merchant` is the suffix of its keys. */
export async function heardWebhooks(world) {
  const all = await Promise.all(Object.entries(world.emulators).map(async ([gateway, emulator]) => (await emulator.sent()).map((webhook) => ({ ...webhook, gateway, merchant: suffixOf(webhook) }))));
  return all.flat().filter(({ status }) => status >= 200 && status < 300);
}

/** Whether a webhook tells that money of the payment with this reference was given back: the PSP shows it, whoever asks after this. Of an order only its own tells. */
export function tellsOfRefund({ event, body }, reference) {
  return (event.startsWith('refund.') || event === 'payment.updated' || body.includes('"refunds":[')) && body.includes(reference);
}
