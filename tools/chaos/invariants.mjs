// What must hold when everything is calm again (design/faults.md §1), by comparing the PSPs' own books with what the API says and what stands in the tables.
// Each check gives the violations that it finds: `{ what, paymentId? }`.
import crypto from 'node:crypto';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { ANSWER_WITHIN_MS } from './world.mjs';

const FINAL = ['captured', 'failed', 'voided', 'expired'];
const sum = (list, of) => list.reduce((total, each) => total + of(each), 0);

/** The checks in order, each with its name; `seen` is what collect() of chaos.mjs gathered. */
export const INVARIANTS = {
  // Money that came late or twice goes back by itself, and then the books agree again: the ticket still tells of it. The emulators never do that of themselves.
  'I1 no double charge': ({ payments, chargesOf, tickets }) => [...strays(tickets, 'duplicate_charge'), ...payments.flatMap((payment) => {
    const charges = chargesOf(payment);
    const kept = sum(charges, ({ captured, refunded }) => captured - refunded);
    const live = charges.filter(({ captured, refunded }) => captured - refunded > 0).length;
    return kept > payment.amount || live > 1 ? [violation(payment, `${live} live captures that keep ${kept} of ${payment.amount}`)] : [];
  })],
  'I2 no lost charge': ({ charges, paymentOf, tickets }) => charges.filter(({ captured, refunded }) => captured - refunded > 0).flatMap((charge) => {
    const payment = paymentOf(charge);
    if (!payment) return tickets.some(({ kind, evidence }) => kind === 'unknown_payment' && evidence.includes(charge.reference)) ? [] : [{ what: `${charge.psp} keeps ${charge.captured} under ${charge.attemptId}, which is none of ours` }];
    const isKnown = payment.status === 'captured' && payment.amountCaptured === charge.captured && payment.gatewayReference === charge.reference;
    return isKnown ? [] : [violation(payment, `${charge.psp} keeps ${charge.captured - charge.refunded} as ${charge.reference}; the payment is ${payment.status} with ${payment.amountCaptured} as ${payment.gatewayReference}`)];
  }),
  'I3 no false success': ({ payments, everCaptured, chargesOf }) => payments.filter(({ id, status }) => status === 'captured' || everCaptured.has(id)).flatMap((payment) => (
    chargesOf(payment).some(({ captured, reference }) => captured === payment.amountCaptured && captured > 0 && reference === payment.gatewayReference) ? [] : [violation(payment, `was called captured; no book shows ${payment.gatewayReference} taken`)])),
  'I4 no false failure': ({ payments, chargesOf, tickets }) => [...strays(tickets, 'late_capture'), ...payments.filter(({ status }) => ['failed', 'voided', 'expired'].includes(status)).flatMap((payment) => (
    chargesOf(payment).some(({ captured, refunded, isReserved }) => captured - refunded > 0 || isReserved) ? [violation(payment, `is ${payment.status}, and a PSP holds money of it`)] : []))],
  'I5 convergence': ({ payments, openTickets }) => payments.flatMap((payment) => {
    const waits = payment.nextAction !== null && payment.status === 'requires_action';
    const isParked = payment.status === 'needs_review' && openTickets.has(payment.id);
    const isCalm = FINAL.includes(payment.status) || payment.status === 'authorized' || payment.status === 'created' || waits || isParked;
    const refunds = payment.refunds.filter(({ status }) => status === 'submitted' || (status === 'needs_review' && !openTickets.has(payment.id)));
    return isCalm && payment.pendingOperation === null && refunds.length === 0 ? [] : [violation(payment, `is ${payment.status} (${payment.processingReason}), pending ${payment.pendingOperation}, ${refunds.length} refunds open`)];
  }),
  'I6 one payment for a key, one answer': ({ heard, paymentsByShop }) => [
    ...[...groups(heard.filter(({ key }) => key), ({ key }) => key)].flatMap(([key, answers]) => (new Set(answers.map(({ status, text }) => `${status} ${text}`)).size > 1 ? [{ what: `key ${key} was answered in ${answers.length} ways` }] : [])),
    ...[...paymentsByShop].flatMap(([shop, payments]) => {
      const asked = shop.heard.filter(({ at, status }) => at === '/v1/payments' && status === 201).length;
      return payments.length > asked ? [{ what: `${shop.suffix} asked for ${asked} payments and has ${payments.length}` }] : [];
    }),
  ],
  'I7 a key used for something else': ({ world }) => world.misused.filter(({ status, code }) => !(status === 422 && code === 'idempotency_key_reused')).map(({ status, code }) => ({ what: `was answered ${status} ${code}` })),
  // Of a refund in PixelPay's panel only its webhook tells, and the emulator gives one up that was refused five times: then nobody can know of it before a settlement.
  'I10 refunds': ({ payments, chargesOf, sent }) => payments.flatMap((payment) => {
    const asked = sum(payment.refunds.filter(({ status }) => status !== 'failed'), ({ amount }) => amount);
    const charge = chargesOf(payment).find(({ reference }) => reference === payment.gatewayReference);
    const isAgreed = payment.status !== 'captured' || payment.refunds.some(({ status }) => status === 'needs_review') || (charge && charge.refunded === payment.amountRefunded)
      || (charge?.psp === 'pixelpay' && charge.refunded > payment.amountRefunded && !sent.some(({ event, body }) => event.includes('refund') && body.includes(charge.reference)));
    const refused = payment.refunds.filter(({ status, origin, failure }) => status === 'failed' && origin === 'api' && failure?.code === 'processing_error').length;
    if (refused > 0) return [violation(payment, `${refused} refunds were let through that its PSP refused`)];
    return asked <= payment.amountCaptured && isAgreed ? [] : [violation(payment, `refunds of ${asked}, of which ${payment.amountRefunded} done; captured ${payment.amountCaptured}; the books show ${charge?.refunded} given back`)];
  }),
  'I11 state machine': ({ transitions, allowed }) => [...groups(transitions, ({ payment_id: id }) => id)].flatMap(([paymentId, rows]) => rows.flatMap((row, at) => {
    const before = rows[at - 1];
    const isNext = at === 0 ? row.from_status === null && row.version === 1 : row.from_status === before.to_status && row.version === before.version + 1;
    return isNext && (row.from_status === null || allowed.has(`${row.from_status} ${row.to_status}`)) ? [] : [{ paymentId, what: `version ${row.version}: ${row.from_status} to ${row.to_status} after ${before?.to_status}` }];
  })),
  'I12 webhooks': ({ world, sent, bodyHashes, storedTwice }) => [
    ...(storedTwice > 0 ? [{ what: `${storedTwice} webhooks are stored more than once` }] : []),
    ...world.forged.filter(({ gateway, status }) => gateway !== 'culqi' && ![401, 503].includes(status)).map(({ gateway, status }) => ({ what: `a forged webhook of ${gateway} was answered ${status}` })),
    ...sent.filter(({ body }) => !bodyHashes.has(crypto.createHash('sha256').update(body).digest('hex'))).map(({ event }) => ({ what: `${event} was answered 2xx, and is not stored` })),
  ],
  'I14 what was acknowledged is true': ({ heard, byId, refundById }) => heard.flatMap(({ answer, seen }) => {
    const said = seen ?? answer;
    const now = said?.paymentId ? refundById.get(said.id) : byId.get(said?.id);
    if (!said?.id) return [];
    if (!now) return [{ paymentId: said.id, what: 'was acknowledged, and is not there' }];
    const isKept = said.paymentId ? said.status !== 'succeeded' || now.status === 'succeeded' : !FINAL.includes(said.status) || now.status === said.status;
    return isKept ? [] : [{ paymentId: said.paymentId ?? said.id, what: `was said to be ${said.status}, and is ${now.status}` }];
  }),
  'I15 tenant isolation': ({ foreign }) => foreign.filter(({ status }) => status !== 404).map(({ path: at, status }) => ({ what: `${at} of another merchant was answered ${status}` })),
  'I16 no secret in logs and tables': ({ leaks }) => leaks.map((what) => ({ what })),
  'I17 processes stay up': ({ world }) => Object.values(world.members).flatMap(({ name, unasked }) => unasked.map((how) => ({ what: `${name} ended by itself (${how})` }))),
  'I18 answers in time, no work left': ({ world, jobsDue }) => [
    ...world.answerMs.filter(({ ms }) => ms > ANSWER_WITHIN_MS).map(({ ms, what }) => ({ what: `${what} took ${ms} ms` })),
    ...jobsDue.map(({ kind, n }) => ({ what: `${n} jobs of ${kind} are overdue or were laid aside` })),
  ],
};

function strays(tickets, wanted) {
  return tickets.filter(({ kind }) => kind === wanted).map(({ payment_id: paymentId, evidence }) => ({ paymentId, what: `${wanted}: ${evidence}` }));
}

function violation(payment, what) {
  return { paymentId: payment.id, what };
}

function groups(list, keyOf) {
  const found = new Map();
  for (const each of list) {
    const key = keyOf(each);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(each);
  }
  return found;
}

/** The published graph: every pair of statuses that some observation leads along, and none but itself. */
export async function allowedTransitions(dist) {
  const { next, OBSERVATIONS, PAYMENT_STATUSES } = await import(pathToFileURL(path.join(dist, 'src', 'payments', 'payment-state.js')));
  return new Set(PAYMENT_STATUSES.flatMap((from) => [`${from} ${from}`, ...OBSERVATIONS.map((observation) => `${from} ${next({ status: from, processingReason: null }, observation).status}`)]));
}
