// What happens in a run: each story is one payment of one merchant, with one thing that goes wrong while it does its operation.
import crypto from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIE_KINDS, toldFault } from './cells.mjs';
import { StoryOver } from './shop.mjs';

export const AMOUNT = 12_900;
const SETTLED = ['captured', 'failed', 'voided', 'expired', 'authorized', 'requires_action', 'needs_review'];

/**
 * All that a story leaves to chance, drawn before it begins and always in the same order: how often a request is repeated, or what becomes of a payment,
 * moves none of it.
 */
export function drawStory(cell, random) {
  const gateway = cell.psp === 'orders' ? 'mercadopago' : cell.psp;
  const outcome = random.one(['approved', 'approved', 'approved', 'approved', 'approved', 'declined', ...(gateway === 'mercadopago' ? ['reviewed', 'challenged'] : [])]);
  const isManual = random.chance(0.2);
  const lie = random.one(LIE_KINDS);
  const times = random.whole(1, 4);
  return {
    gateway, outcome: cell.operation === 'create' ? outcome : 'approved', isManual: isManual && gateway !== 'pixelpay', description: `Story ${random.text(6)}`,
    /** Late, repeated, in another order, or lost. */
    webhooks: { delayMs: random.one([0, 0, 100, 600]), copies: random.one([1, 1, 2, 5]), order: random.one(['kept', 'reversed', 'shuffled']), lost: random.one([0, 0, 0, 1]) },
    /** The instance that hears the webhooks. */
    listens: random.whole(0, 2),
    lie,
    // A PSP that shows a payment under another name twice says by that that there is none.
    times: cell.where !== 'look-up' || (cell.kind === 'wrong_answer' && lie === 'reference') ? 1 : times,
    loss: random.one(['reset_after_booking', 'reset_before_booking']),
    blow: { afterMs: random.whole(0, 25), ms: random.whole(200, 4_000), worker: random.whole(0, 2), isFirst: random.chance(0.5) },
    refunds: drawRefunds(random),
    panelAmount: random.whole(100, 2_000),
    forgery: drawForgery(random),
    misuses: random.chance(0.1) ? { service: random.whole(0, 2) } : null,
    /** The payment is asked for twice at the same time, under one key. */
    isTwice: random.chance(0.1),
  };
}

/** Parts one after the other, all of it, or several people who each want all of it back at once. */
function drawRefunds(random) {
  const parts = Array.from({ length: random.whole(1, 4) }, () => ({ amount: random.whole(100, 4_000) }));
  const isWhole = random.chance(0.3);
  return random.chance(0.3) ? { atOnce: [{}, {}, {}] } : { inTurn: isWhole ? [{}] : parts };
}

function drawForgery(random) {
  const forgery = { service: random.whole(0, 2), says: random.one(['refund', 'charge']), id: random.text(12) };
  return random.chance(0.2) ? forgery : null;
}

/**
 * Plays the story of a cell as drawn. Tells its payment, whether it met what was drawn for it, and what was given back in the panel. `retries`: a source of
 * randomness for what hangs on time.
 */
export async function playStory(shop, cell, drawn, retries) {
  const { world } = shop;
  const { gateway } = drawn;
  const emulator = world.emulators[gateway];
  const told = { paymentId: null, panelAmount: null, hasMet: false };
  const times = { wrongAt: null, answeredAt: null, calmAt: null };
  let life = emulator.life;
  let blow = Promise.resolve(null);
  /** The fault meets the operation's own request, the blow falls somewhere within it. */
  const goWrong = async (service) => {
    life = emulator.life;
    for (const fault of cell.faults) await shop.control(gateway, 'POST', 'faults', { ...toldFault(fault, cell.psp, drawn.lie), merchant: shop.suffix, times: drawn.times });
    if (cell.where === 'look-up' && cell.operation !== 'webhook') await shop.control(gateway, 'POST', 'faults', { route: lossOf(cell), kind: drawn.loss, merchant: shop.suffix });
    times.wrongAt = Date.now();
    if (!cell.blow) return;
    const isFirst = cell.blow === 'stop_emulator' && drawn.blow.isFirst && cell.operation !== 'webhook';
    await new Promise((down) => {
      blow = sleep(isFirst ? 0 : drawn.blow.afterMs).then(() => world.strike(cell.blow, { ...drawn.blow, gateway, service, whenDown: down }));
      blow.catch(() => down());
      if (!isFirst) down();
    });
  };
  const ask = async (operation, at, body, beforeFirst) => {
    const answer = await shop.insist(operation, 'POST', at, { body, retries, ...(beforeFirst ? { beforeFirst } : {}), isTwice: operation === 'create' && drawn.isTwice });
    if (operation === 'create') told.paymentId = answer.body?.id ?? null;
    if (times.wrongAt !== null) times.answeredAt = Date.now();
    return answer.body;
  };
  try {
    await shop.listen(gateway, drawn.webhooks, drawn.listens);
    const method = { type: 'card', tokens: { [gateway]: await shop.mint(gateway, drawn.outcome) }, ...(gateway === 'mercadopago' ? { options: { mercadopago: { paymentMethodId: 'visa' } } } : {}) };
    await playsOf({ shop, drawn, told, method, goWrong, ask })[cell.operation]();
    const id = told.paymentId;
    if (id !== null) {
      const payment = await shop.read(id);
      await forge(shop, gateway, payment, drawn.forgery);
      await misuseKey(shop, id, drawn.misuses);
      if (drawn.outcome === 'challenged' && payment.nextAction?.type === 'three_ds') await shop.control(gateway, 'POST', 'panel', { action: 'challenge', id: payment.gatewayReference });
    }
    await blow;
    if (id !== null) await calm(shop, id, told.panelAmount !== null);
    times.calmAt = Date.now();
    told.hasMet = cell.blow ? hasFallen(cell, times, await blow) : await hasBitten(shop, cell, drawn, { isWrong: times.wrongAt !== null, isForgotten: emulator.life !== life });
  } catch (error) {
    if (!(error instanceof StoryOver)) throw error;
    await blow;
  }
  await shop.control(gateway, 'DELETE', `faults?merchant=${shop.suffix}`);
  return told;
}

/** What the merchant and its customer do, by operation. */
function playsOf({ shop, drawn, told, method, goWrong, ask }) {
  const { gateway } = drawn;
  const body = { amount: AMOUNT, currency: gateway === 'pixelpay' ? 'DOP' : 'PEN', gateway, customer: { email: 'ana@ejemplo.pe', firstName: 'Ana' }, description: drawn.description };
  const made = (changes, first) => ask('create', '/v1/payments', { ...body, ...changes }, first);
  const paid = async (changes) => {
    const { id } = await made({ paymentMethod: method, ...changes });
    return id === undefined ? { status: 'refused' } : settled(shop, id);
  };
  const onReserved = async (operation) => {
    const payment = await paid({ captureMethod: 'manual' });
    if (payment.status === 'authorized') await ask(operation, `/v1/payments/${payment.id}/${operation}`, {}, goWrong);
  };
  return {
    create: () => made({ paymentMethod: method, captureMethod: drawn.isManual ? 'manual' : 'automatic' }, goWrong),
    confirm: async () => {
      const { id } = await made({ confirm: false });
      if (id !== undefined) await ask('confirm', `/v1/payments/${id}/confirm`, { paymentMethod: method }, goWrong);
    },
    capture: () => onReserved('capture'),
    void: () => onReserved('void'),
    refund: async () => {
      const payment = await paid({});
      if (payment.status !== 'captured') return;
      const refund = (amount, at) => ask('refund', `/v1/payments/${payment.id}/refunds`, amount, at === 0 ? goWrong : undefined);
      if (drawn.refunds.atOnce) await Promise.all(drawn.refunds.atOnce.map(refund));
      else for (const [at, amount] of drawn.refunds.inTurn.entries()) await refund(amount, at);
    },
    webhook: async () => {
      const payment = await paid({});
      if (payment.status !== 'captured') return;
      await goWrong(drawn.listens);
      await shop.control(gateway, 'POST', 'panel', { action: 'refund', id: payment.gatewayReference, amount: drawn.panelAmount });
      told.panelAmount = drawn.panelAmount;
    },
  };
}

/** Whether the blow fell while what it was drawn for was under way: a request, or, to workers and by webhooks, all that follows from it. */
function hasFallen({ blow, operation }, { wrongAt, answeredAt, calmAt }, fell) {
  if (wrongAt === null || !fell) return false;
  const until = blow.endsWith('_worker') || operation === 'webhook' ? calmAt : answeredAt;
  return until !== null && fell.from <= until && fell.to >= wrongAt;
}

/** Whether a fault was played. Those of before the emulator's last start are forgotten, and nobody knows. */
async function hasBitten(shop, cell, { gateway, times }, { isWrong, isForgotten }) {
  if (!isWrong || isForgotten) return false;
  const { faults } = await shop.control(gateway, 'GET', `faults?merchant=${shop.suffix}`);
  return cell.faults.some((fault) => !faults.some((waiting) => waiting.route === fault.route && waiting.kind === fault.kind && waiting.times === times));
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

/** A webhook that nobody of the PSP's sent: it must be refused, or (Culqi signs nothing) be no more than a reason to ask. */
async function forge(shop, gateway, payment, forgery) {
  if (forgery === null) return;
  const id = payment.gatewayReference ?? 'x';
  const eventId = `evt_test_${forgery.id}`;
  const forged = {
    culqi: {
      at: '', headers: {},
      body: { object: 'event', id: eventId, ...(forgery.says === 'refund' ? { type: 'refund.creation.succeeded', data: { id: 'ref_test_x', chargeId: id } } : { type: 'charge.creation.succeeded', data: { id, object: 'charge', amount: 1, outcome: { type: 'venta_exitosa' }, metadata: { attempt_id: payment.attempts[0]?.id } } }) },
    },
    mercadopago: { at: `?data.id=${id}&type=payment`, headers: { 'x-signature': `ts=${Date.now()},v1=${crypto.randomBytes(32).toString('hex')}`, 'x-request-id': crypto.randomUUID() }, body: { type: 'payment', id: eventId, data: { id } } },
    pixelpay: { at: '', headers: { 'x-pixelpay-signature': crypto.randomBytes(32).toString('hex') }, body: { event: 'payment.refunded', id: eventId, data: { txn_id: id, order_id: payment.attempts[0]?.id, status: 'refunded' } } },
  }[gateway];
  const body = JSON.stringify(forged.body);
  const response = await fetch(`${shop.world.services[forgery.service]}/webhooks/${gateway}/${shop.tenantId}${forged.at}`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...forged.headers }, body, signal: AbortSignal.timeout(8_000),
  }).catch(() => null);
  if (response) shop.world.forged.push({ gateway, paymentId: payment.id, status: response.status, hash: crypto.createHash('sha256').update(body).digest('hex') });
  await response?.body?.cancel();
}

/** Another request under the key of this payment: it must have no effect. */
async function misuseKey(shop, paymentId, misuses) {
  const used = shop.heard.findLast(({ operation, answer }) => operation === 'create' && answer?.id === paymentId);
  if (!used || misuses === null) return;
  const answer = await shop.ask('POST', '/v1/payments', { key: used.key, body: { ...used.body, amount: AMOUNT + 1 }, service: misuses.service });
  if (answer && answer.status < 500) shop.world.misused.push({ paymentId, status: answer.status, code: answer.body?.code });
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
