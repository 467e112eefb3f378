// What the PSPs truly did, from the emulators' own books, in one form: `charges` by our attempt id, in minor units.

/** @returns charges `{ psp, reference, attemptId, amount, captured, refunded, isReserved }` of one merchant */
export async function chargesOf(shop) {
  const of = async (gateway) => (await fetch(`${shop.world.urls[gateway]}/_control/books?merchant=${shop.suffix}`, { signal: AbortSignal.timeout(20_000) })).json();
  const [culqi, mercadopago, pixelpay] = [await of('culqi'), await of('mercadopago'), await of('pixelpay')];
  return [
    ...culqi.charges.filter(({ outcome }) => outcome?.type === 'venta_exitosa').map((charge) => ({
      psp: 'culqi', reference: charge.id, attemptId: charge.metadata?.attempt_id ?? null, amount: charge.amount, captured: charge.capture ? charge.amount : 0, refunded: charge.capture ? charge.amount_refunded : 0,
      isReserved: !charge.capture && charge.current_amount > 0,
    })),
    ...mercadopago.payments.map((payment) => ({
      psp: 'mercadopago', reference: payment.isOrder ? `ORD01${String(payment.id).padStart(24, '0')}` : String(payment.id), attemptId: payment.external_reference, amount: payment.amount,
      captured: ['approved', 'refunded', 'charged_back'].includes(payment.status) ? payment.amount : 0, refunded: payment.refunds.filter(({ status }) => status === 'approved').reduce((sum, { amount }) => sum + amount, 0),
      isReserved: payment.status === 'authorized',
    })),
    ...pixelpay.payments.filter(({ status }) => ['completed', 'deposited'].includes(status)).map((payment) => ({
      psp: 'pixelpay', reference: payment.txn_id, attemptId: payment.order_id, amount: payment.amount, captured: payment.amount, refunded: payment.refunded, isReserved: false,
    })),
  ];
}

/** Webhooks that were answered with 2xx: what they said must be stored. */
export async function heardWebhooks(shop) {
  const all = [];
  for (const gateway of Object.keys(shop.world.urls)) {
    const { sent } = await (await fetch(`${shop.world.urls[gateway]}/_control/webhooks?merchant=${shop.suffix}`, { signal: AbortSignal.timeout(20_000) })).json();
    all.push(...sent.filter(({ status }) => status >= 200 && status < 300));
  }
  return all;
}
