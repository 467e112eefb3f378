// What happens in a run: each story is one payment of one merchant, with one thing that goes wrong while it does its operation.
import crypto from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const AMOUNT = 12_900;
const SETTLED = ['captured', 'failed', 'voided', 'expired', 'authorized', 'requires_action', 'needs_review'];

/** Plays the story of a cell with draws of its own. Tells its payment, and whether it met its fault. */
export async function playStory(shop, cell, random) {
  const { world } = shop;
  const gateway = cell.psp === 'orders' ? 'mercadopago' : cell.psp;
  await drawWebhooks(shop, gateway, random);
  const outcome = cell.operation === 'create' ? drawOutcome(gateway, random) : 'approved';
  const method = { type: 'card', tokens: { [gateway]: await shop.mint(gateway, outcome) }, ...(gateway === 'mercadopago' ? { options: { mercadopago: { paymentMethodId: 'visa' } } } : {}) };
  const body = { amount: AMOUNT, currency: gateway === 'pixelpay' ? 'DOP' : 'PEN', gateway, customer: { email: 'ana@ejemplo.pe', firstName: 'Ana' }, description: `Story ${random.text(6)}` };

  const drawnTimes = cell.where === 'look-up' ? random.whole(1, 4) : 1;
  let blow = Promise.resolve();
  let isWrong = false;
  /** The fault meets the operation's own request, the blow falls somewhere within it. */
  const goWrong = async () => {
    isWrong = true;
    for (const fault of cell.faults) await shop.control(gateway, 'POST', 'faults', { ...fault, merchant: shop.suffix, times: drawnTimes });
    if (cell.where === 'look-up' && cell.operation !== 'webhook') await shop.control(gateway, 'POST', 'faults', { route: lossOf(cell), kind: random.one(['reset_after_booking', 'reset_before_booking']), merchant: shop.suffix });
    if (cell.blow) blow = sleep(random.whole(0, 40)).then(() => world.strike(cell.blow, random.whole(200, 4_000)));
  };
  const made = async (changes, first) => (await shop.insist('POST', '/v1/payments', { body: { ...body, ...changes }, random, ...(first ? { beforeFirst: first } : {}) })).body;

  const plays = {
    create: () => made({ paymentMethod: method, captureMethod: gateway !== 'pixelpay' && random.chance(0.2) ? 'manual' : 'automatic' }, goWrong),
    confirm: async () => {
      const { id } = await made({ confirm: false });
      return (await shop.insist('POST', `/v1/payments/${id}/confirm`, { body: { paymentMethod: method }, random, beforeFirst: goWrong })).body;
    },
    capture: () => onReserved('capture'),
    void: () => onReserved('void'),
    refund: async () => {
      const payment = await settled(shop, (await made({ paymentMethod: method })).id);
      if (payment.status !== 'captured') return payment;
      const amounts = random.chance(0.3) ? [{}] : Array.from({ length: random.whole(1, 4) }, () => ({ amount: random.whole(100, 4_000) }));
      const refund = (amount, at) => shop.insist('POST', `/v1/payments/${payment.id}/refunds`, { body: amount, random, ...(at === 0 ? { beforeFirst: goWrong } : {}) });
      // Several people who each want all of it back, at once.
      if (random.chance(0.3)) await Promise.all([{}, {}, {}].map(refund));
      else for (const [at, amount] of amounts.entries()) await refund(amount, at);
      return payment;
    },
    webhook: async () => {
      const payment = await settled(shop, (await made({ paymentMethod: method })).id);
      if (payment.status !== 'captured') return payment;
      await goWrong();
      await shop.control(gateway, 'POST', 'panel', { action: 'refund', id: payment.gatewayReference, amount: random.whole(100, 2_000) });
      return payment;
    },
  };
  const onReserved = async (operation) => {
    const payment = await settled(shop, (await made({ paymentMethod: method, captureMethod: 'manual' })).id);
    if (payment.status === 'authorized') await shop.insist('POST', `/v1/payments/${payment.id}/${operation}`, { body: {}, random, beforeFirst: goWrong });
    return payment;
  };

  const payment = await plays[cell.operation]();
  if (payment.id) {
    await forge(shop, gateway, payment, random);
    await misuseKey(shop, random);
    if (outcome === 'challenged' && payment.nextAction?.type === 'three_ds') await shop.control(gateway, 'POST', 'panel', { action: 'challenge', id: payment.gatewayReference });
  }
  await blow;
  if (payment.id) await calm(shop, payment.id, cell.operation === 'webhook');
  const { faults } = await shop.control(gateway, 'GET', `faults?merchant=${shop.suffix}`);
  await shop.control(gateway, 'DELETE', `faults?merchant=${shop.suffix}`);
  return { paymentId: payment.id ?? null, hasMet: isWrong && (cell.faults.length === 0 || cell.faults.some((fault) => !faults.some(({ route, kind, times }) => route === fault.route && kind === fault.kind && times === drawnTimes))) };
}

/** The call whose reply is lost, so that there is something to look up. */
function lossOf({ psp, operation }) {
  const create = { culqi: 'POST /v2/charges', mercadopago: 'POST /v1/payments', orders: 'POST /v1/orders', pixelpay: 'POST /v2/payments' }[psp];
  const others = {
    culqi: { capture: 'POST /v2/charges/:id/capture', void: 'POST /v2/refunds', refund: 'POST /v2/refunds' }, mercadopago: { capture: 'PUT /v1/payments/:id', void: 'PUT /v1/payments/:id', refund: 'POST /v1/payments/:id/refunds' },
    orders: { capture: 'POST /v1/orders/:id/capture', void: 'POST /v1/orders/:id/cancel', refund: 'POST /v1/orders/:id/refund' }, pixelpay: { refund: 'POST /v2/payments/:id/refunds' },
  };
  return others[psp][operation] ?? create;
}

function drawOutcome(gateway, random) {
  const outcomes = ['approved', 'approved', 'approved', 'approved', 'approved', 'declined', ...(gateway === 'mercadopago' ? ['reviewed', 'challenged'] : [])];
  return random.one(outcomes);
}

/** Late, repeated, in another order, or lost; PixelPay's are not lost: it lists nothing, so what is done in its panel and told to nobody shows only in a settlement. */
function drawWebhooks(shop, gateway, random) {
  const lost = gateway === 'pixelpay' ? 0 : random.one([0, 0, 0, 1]);
  return shop.listen(gateway, { delayMs: random.one([0, 0, 100, 600]), copies: random.one([1, 1, 2, 5]), order: random.one(['kept', 'reversed', 'shuffled']), lost }, random.whole(0, 2));
}

/** A webhook that nobody of the PSP's sent: it must be refused, or (Culqi signs nothing) be no more than a reason to ask. */
async function forge(shop, gateway, payment, random) {
  if (!random.chance(0.2)) return;
  const id = payment.gatewayReference ?? 'x';
  const forged = {
    culqi: { at: '', headers: {}, body: { object: 'event', id: `evt_test_${random.text(12)}`, type: 'refund.creation.succeeded', data: { id: 'ref_test_x', chargeId: id } } },
    mercadopago: { at: `?data.id=${id}&type=payment`, headers: { 'x-signature': `ts=${Date.now()},v1=${crypto.randomBytes(32).toString('hex')}`, 'x-request-id': crypto.randomUUID() }, body: { type: 'payment', data: { id } } },
    pixelpay: { at: '', headers: { 'x-pixelpay-signature': crypto.randomBytes(32).toString('hex') }, body: { event: 'payment.refunded', data: { txn_id: id, order_id: payment.attempts?.[0]?.id, status: 'refunded' } } },
  }[gateway];
  const response = await fetch(`${shop.world.services[random.whole(0, 2)]}/webhooks/${gateway}/${shop.tenantId}${forged.at}`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...forged.headers }, body: JSON.stringify(forged.body), signal: AbortSignal.timeout(8_000),
  }).catch(() => null);
  if (response) shop.world.forged.push({ gateway, status: response.status });
  await response?.body?.cancel();
}

/** Another request under a key that was used: it must have no effect. */
async function misuseKey(shop, random) {
  const used = shop.heard.findLast(({ key, at }) => key && at === '/v1/payments');
  if (!used || !random.chance(0.1)) return;
  const answer = await shop.ask('POST', '/v1/payments', { key: used.key, body: { ...used.body, amount: AMOUNT + 1 }, service: random.whole(0, 2) });
  if (answer && answer.status < 500) shop.world.misused.push({ status: answer.status, code: answer.body?.code });
}

/** Waits until nothing is on its way any more, and a refund that was made in the panel is known; a bound, as the end is looked for at the end. */
async function calm(shop, id, hasPanelRefund) {
  for (const endMs = Date.now() + (hasPanelRefund ? 4_000 : 20_000); Date.now() < endMs; await sleep(150)) {
    const { status, pendingOperation, refunds } = await shop.read(id);
    if (status !== 'processing' && pendingOperation === null && refunds.every((refund) => refund.status !== 'submitted') && (!hasPanelRefund || refunds.length > 0 || status !== 'captured')) return;
  }
}

/** The payment when nothing more happens to it soon; a bound, as the end is looked for at the end. */
async function settled(shop, id) {
  for (const endMs = Date.now() + 25_000; ; await sleep(100)) {
    const payment = await shop.read(id);
    if ((SETTLED.includes(payment.status) && !payment.pendingOperation) || Date.now() > endMs) return payment;
  }
}
