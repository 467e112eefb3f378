// What must hold when everything is calm again (design/faults.md §1), by comparing the PSPs' own books with what the API says and what stands in the tables.
// Each check gives how many things it judged, and the violations among them: `{ what, paymentId? }`.
import crypto from 'node:crypto';
import { paymentIn } from './shop.mjs';
import { ANSWER_WITHIN_MS } from './world.mjs';

/**
 * The published graph (docs/payment-states.md), written down here once more, so that it does not move with the build that is judged; test/tools/chaos.spec.ts
 * compares it with the source. A payment may stay where it is unless it is final.
 */
export const GRAPH = {
  created: ['processing', 'voided', 'expired'],
  requires_action: ['processing', 'authorized', 'captured', 'failed', 'voided', 'expired', 'needs_review'],
  processing: ['authorized', 'captured', 'requires_action', 'failed', 'voided', 'expired', 'needs_review'],
  authorized: ['captured', 'voided', 'expired', 'needs_review'],
  needs_review: ['processing', 'requires_action', 'authorized', 'captured', 'failed', 'voided', 'expired'],
  captured: [], failed: [], voided: [], expired: [],
};
const FINAL = Object.keys(GRAPH).filter((status) => GRAPH[status].length === 0);
const NOT_MADE = ['failed', 'voided', 'expired'];
/** Payments of a run over all cells that end captured, voided or authorized, at least: most faults end nothing. */
const SERVED_SHARE = 0.5;

/** The checks in order, each with its name; `seen` is what collect.mjs gathered. */
export const INVARIANTS = {
  // Money that came late or twice goes back by itself, and then the books agree again: the ticket still tells of it. The emulators never do that of themselves.
  'I1 no double charge': ({ payments, chargesOf, tickets }) => judged(payments, (payment) => {
    const charges = chargesOf(payment);
    const kept = sum(charges, ({ captured, refunded }) => captured - refunded);
    const live = charges.filter(({ captured, refunded, isReserved }) => captured - refunded > 0 || isReserved).length;
    const late = NOT_MADE.includes(payment.status) ? [] : strays(tickets, 'late_capture', payment);
    return [...strays(tickets, 'duplicate_charge', payment), ...late, ...(kept > payment.amount || live > 1 ? [violation(payment, `${live} live charges that keep ${kept} of ${payment.amount}`)] : [])];
  }),
  'I2 no lost charge': ({ charges, paymentOf, shopOf }) => judged(charges.filter(({ captured, isReserved }) => captured > 0 || isReserved), (charge) => {
    const payment = paymentOf(charge);
    const holds = `${charge.psp} ${charge.isReserved ? 'reserves' : 'took'} ${charge.amount} ${charge.currency} as ${charge.reference} (${charge.refunded} given back)`;
    if (!payment) return [{ what: `${holds} under ${charge.attemptId}, which is none of ours` }];
    const isOwn = shopOf.get(payment.id).suffix === charge.merchant && payment.currency === charge.currency;
    const isKnown = charge.isReserved || (payment.status === 'captured' && payment.amountCaptured === charge.captured && payment.gatewayReference === charge.reference);
    return isOwn && isKnown ? [] : [violation(payment, `${holds} of merchant ${charge.merchant}; the payment of ${shopOf.get(payment.id).suffix} is ${payment.status} with ${payment.amountCaptured} ${payment.currency} as ${payment.gatewayReference}`)];
  }),
  'I3 no false success': ({ payments, heard, chargesOf }) => {
    const everCaptured = new Set(heard.flatMap(({ seen, answer }) => ((seen ?? answer)?.status === 'captured' ? [(seen ?? answer).id] : [])));
    return judged(payments.filter(({ id, status }) => status === 'captured' || everCaptured.has(id)), (payment) => (
      chargesOf(payment).some((charge) => charge.captured === payment.amountCaptured && charge.captured === payment.amount && charge.currency === payment.currency && charge.reference === payment.gatewayReference) ? []
        : [violation(payment, `was called captured with ${payment.amountCaptured}; no book shows ${payment.gatewayReference} taken`)]));
  },
  'I4 no false failure': ({ payments, chargesOf, tickets }) => judged(payments.filter(({ status }) => NOT_MADE.includes(status)), (payment) => [
    ...strays(tickets, 'late_capture', payment),
    ...chargesOf(payment).filter(({ captured, refunded, isReserved, state }) => captured - refunded > 0 || isReserved || state === 'waiting').map((charge) => violation(payment, `is ${payment.status}, and ${charge.psp} has ${charge.reference} ${charge.state}`)),
  ]),
  'I5 convergence': (seen) => together(judged(seen.payments, (payment) => convergence(payment, seen)), { judged: 0, violations: seen.unanswered.map(({ paymentId, what }) => ({ paymentId, what })) }),
  'I6 one payment for a key, one answer': ({ heard, paymentsByShop }) => together(
    judged([...groups(heard.filter(({ key }) => key), ({ key }) => key)], ([key, answers]) => (new Set(answers.map(({ status, text }) => `${status} ${text}`)).size > 1 ? [{ paymentId: paymentOfAnswer(answers[0]), what: `key ${key} was answered in ${answers.length} ways: ${[...new Set(answers.map(({ status, answer }) => `${status} ${answer?.status ?? answer?.code}`))].join(', ')}` }] : [])),
    judged([...paymentsByShop], ([shop, payments]) => {
      const asked = new Set(shop.heard.filter(({ operation, status }) => operation === 'create' && status === 201).map(({ answer }) => answer.id));
      return payments.filter(({ id }) => !asked.has(id)).map((payment) => violation(payment, `stands there; no request for it was answered 201`));
    }),
  ),
  'I7 a key used for something else': ({ world }) => judged(world.misused, ({ paymentId, status, code }) => (status === 422 && code === 'idempotency_key_reused' ? [] : [{ paymentId, what: `another body under its key was answered ${status} ${code}` }])),
  'I10 refunds': (seen) => judged(seen.payments, (payment) => refunds(payment, seen)),
  'I10 refunds in a panel': (seen) => judged(seen.payments.filter(({ id }) => panelAmountOf(seen, id) !== null), (payment) => {
    const found = payment.refunds.filter(({ origin }) => origin === 'gateway');
    return found.length === 1 && found[0].status === 'succeeded' && found[0].amount === panelAmountOf(seen, payment.id) ? [] : [violation(payment, `${panelAmountOf(seen, payment.id)} were given back in the panel; we have ${listed(found)}`)];
  }),
  'I11 state machine': ({ transitions, rows }) => together(
    judged([...groups(transitions, ({ payment_id: id }) => id)], ([paymentId, steps]) => steps.flatMap((step, at) => {
      const before = steps[at - 1];
      const isNext = at === 0 ? step.from_status === null && step.version === 1 : step.from_status === before.to_status && step.version === before.version + 1;
      const isAllowed = step.from_status === null ? step.to_status === 'created' : step.from_status === step.to_status || (GRAPH[step.from_status] ?? []).includes(step.to_status);
      const leavesItsEnd = FINAL.includes(step.from_status) && step.to_status !== step.from_status;
      return isNext && isAllowed && !leavesItsEnd ? [] : [{ paymentId, what: `version ${step.version}: ${step.from_status} to ${step.to_status} after ${before?.to_status}` }];
    })),
    judged(rows, ({ id, status, version }) => {
      const last = transitions.findLast(({ payment_id: of }) => of === id);
      return last?.to_status === status && last.version === version ? [] : [{ paymentId: id, what: `is ${status} in version ${version}; its last step led to ${last?.to_status} in version ${last?.version}` }];
    }),
  ),
  'I12 webhooks answered 2xx are stored, once': (seen) => {
    const hashes = new Set(seen.events.map(({ hash }) => hash));
    return together(
      judged(seen.sent, ({ gateway, event, body }) => (hashes.has(hashOf(body)) ? [] : [{ paymentId: paymentSpokenOf(seen, body), what: `${event} of ${gateway} was answered 2xx, and is not stored` }])),
      judged([...groups(seen.events, ({ tenant_id: tenant, gateway, hash }) => `${tenant} ${gateway} ${hash}`)], ([, same]) => (same.length > 1 ? [{ paymentId: same[0].payment_id, what: `a webhook of ${same[0].gateway} is stored ${same.length} times` }] : [])),
    );
  },
  // What a PSP sent is about a payment of ours; but what it says of an order under its number makes nothing ours (docs/decisions/0004).
  'I12 webhooks are dealt with': (seen) => {
    const ordering = [...seen.paymentsByShop.keys()].filter(({ orders }) => orders).map(({ suffix }) => suffix);
    const ours = new Map(seen.sent.filter(({ gateway, merchant, event }) => !(gateway === 'mercadopago' && event.startsWith('payment.') && ordering.includes(merchant))).map(({ body }) => [hashOf(body), body]));
    return judged(seen.events, ({ id, gateway, status, payment_id: paymentId, hash }) => (
      !['received', 'dead'].includes(status) && (!ours.has(hash) || seen.byId.has(paymentId)) ? []
        : [{ paymentId: paymentId ?? paymentSpokenOf(seen, ours.get(hash) ?? ''), what: `webhook ${id} of ${gateway} is ${status} at the end, of payment ${paymentId}` }]));
  },
  'I12 webhooks have their effect': ({ world }) => judged(world.effects, ({ paymentId, what, isKnown }) => (isKnown ? [] : [{ paymentId, what: `${what} was answered 2xx, and the refund that it told of was not known before the look-over` }])),
  // Culqi signs nothing: what nobody proved is stored as such, and only has the PSP asked; what it says itself must not show (I2, I3, I4, I10).
  'I12 forged webhooks': ({ world, events }) => judged(world.forged, ({ gateway, paymentId, status, hash }) => {
    const stored = events.filter((event) => event.hash === hash);
    if (gateway !== 'culqi') return [401, 503].includes(status) && stored.length === 0 ? [] : [{ paymentId, what: `a forged webhook of ${gateway} was answered ${status}, and is stored ${stored.length} times` }];
    return stored.every(({ is_proven: isProven }) => Number(isProven) === 0) && (status >= 300 || stored.length === 1) ? [] : [{ paymentId, what: `a forged webhook of culqi was answered ${status}; it is stored ${stored.length} times, as proven` }];
  }),
  'I14 what was acknowledged is true': ({ heard, byId, refundById }) => judged(heard.filter(({ seen, answer }) => (seen ?? answer)?.id), ({ answer, seen }) => {
    const said = seen ?? answer;
    const now = said.paymentId ? refundById.get(said.id) : byId.get(said.id);
    const paymentId = said.paymentId ?? said.id;
    if (!now) return [{ paymentId, what: `${said.id} was acknowledged as ${said.status}, and is not there` }];
    const isKept = said.paymentId ? said.status !== 'succeeded' || now.status === 'succeeded' : !FINAL.includes(said.status) || (now.status === said.status && now.amountCaptured === said.amountCaptured && now.gatewayReference === said.gatewayReference);
    const lost = (said.refunds ?? []).filter(({ id, status, amount }) => !refundById.has(id) || refundById.get(id).amount !== amount || (status === 'succeeded' && refundById.get(id).status !== 'succeeded'));
    return isKept && lost.length === 0 ? [] : [{ paymentId, what: `${said.id} was said to be ${said.status}, and is ${now.status}; refunds that are no longer so: ${lost.length}` }];
  }),
  'I14 what was acknowledged was stored': ({ heard, transitions }) => {
    const steps = stepsOf(transitions);
    return judged(heard.map(({ seen, answer }) => seen ?? answer).filter((said) => said?.id && said.version), (said) => [said, ...said.refunds ?? []].filter(({ id, version, status }) => steps.get(`${id} ${version}`) !== status).map(({ id, version, status }) => (
      { paymentId: said.paymentId ?? said.id, what: `${id} was said to be ${status} in version ${version}; stored of that version is ${steps.get(`${id} ${version}`) ?? 'nothing'}` })));
  },
  'I15 tenant isolation': ({ foreign }) => judged(foreign, ({ status, paymentId, path }) => (status === 404 ? [] : [{ paymentId, what: `${path} of another merchant was answered ${status}` }])),
  'I16 no secret in logs and tables': ({ secrets }) => ({ judged: secrets.wanted * secrets.places, violations: secrets.found.map((what) => ({ what })) }),
  'I17 processes stay up': ({ world }) => together(
    judged(Object.values(world.members), ({ name, unasked }) => unasked.map((how) => ({ what: `${name} ended by itself (${how})` }))),
    judged(world.readings, ({ name, said, isReady }) => (isReady ? [] : [{ what: `${name} was not ready, though neither it nor the database was struck: ${said}` }])),
    { judged: 0, violations: world.unreadable },
  ),
  'I18 answers in time, no work left': ({ world, jobsDue }) => together(
    judged(world.waits, ({ ms, isLost, what, paymentId = paymentIn(what) }) => (isLost || ms > ANSWER_WITHIN_MS ? [{ paymentId, what: `${what} ${isLost ? 'was given up without an answer' : 'took'} ${isLost ? 'after ' : ''}${ms} ms` }] : [])),
    { judged: 0, violations: jobsDue.map(({ kind, last_error: error, n }) => ({ what: `${n} jobs of ${kind} ${error ? `fail (${error})` : 'are overdue or were laid aside'}` })) },
  ),
  'C1 no refusal without a reason': (seen) => judged(seen.heard.filter(({ operation }) => operation), (request) => {
    const { operation, status, answer } = request;
    const paymentId = paymentOfAnswer(request);
    return isLegitimate(request, seen.byId.get(paymentId), seen) ? [] : [{ paymentId, what: `${operation} was answered ${status} ${answer?.code ?? ''}: ${answer?.detail ?? ''}` }];
  }),
  'C2 most payments are made': ({ payments, isWhole }) => {
    if (!isWhole) return { judged: payments.length, violations: [] };
    const served = payments.filter(({ status }) => ['captured', 'voided', 'authorized'].includes(status)).length;
    return { judged: payments.length, violations: served >= SERVED_SHARE * payments.length ? [] : [{ what: `only ${served} of ${payments.length} payments are captured, voided or authorized` }] };
  },
};

/** Where a payment may come to rest, and with what in the books. */
function convergence(payment, { chargesOf, tickets, heard, stories }) {
  const charges = chargesOf(payment);
  const matching = charges.filter(({ amount, currency }) => amount === payment.amount && currency === payment.currency);
  const own = tickets.filter((ticket) => ticket.payment_id === payment.id && ticket.status === 'open');
  const hasTicket = (refundId, kinds) => own.some((ticket) => (ticket.refund_id ?? null) === refundId && kinds.includes(ticket.kind));
  const rests = {
    captured: () => true, failed: () => true, voided: () => true, expired: () => true,
    authorized: () => charges.filter(({ isReserved }) => isReserved).length === 1 && matching.some(({ isReserved, reference }) => isReserved && reference === payment.gatewayReference),
    // Nothing was asked of any PSP, and nobody was told that it was.
    created: () => charges.length === 0 && !heard.some(({ operation, status, at }) => operation === 'confirm' && status === 200 && at.includes(payment.id)),
    requires_action: () => payment.nextAction !== null && stories.get(payment.id)?.drawn?.outcome === 'challenged' && charges.every(({ captured, isReserved }) => captured === 0 && !isReserved),
    // Only where no book shows what a look-up could have found: by now faults are over, and people had the PSP asked.
    needs_review: () => hasTicket(null, ['unresolved_outcome', 'mismatch']) && matching.length === 0,
  };
  const violations = [];
  if (payment.pendingOperation !== null || !rests[payment.status]?.()) violations.push(violation(payment, `is ${payment.status} (${payment.processingReason}), pending ${payment.pendingOperation}; open tickets: ${own.map(({ kind }) => kind).join(', ') || 'none'}; books: ${charges.map(({ state, amount, currency, reference }) => `${reference} ${state} ${amount} ${currency}`).join(', ') || 'none'}`));
  const given = charges.flatMap(({ refunds: done }) => done.map(({ amount }) => amount));
  const unexplained = without(given, payment.refunds.filter(({ status }) => status === 'succeeded').map(({ amount }) => amount)).rest;
  for (const refund of payment.refunds) {
    // What the PSP shows of one with another amount, people decide; what was only not heard of must be found.
    const isParked = refund.status === 'needs_review' && (hasTicket(refund.id, ['mismatch']) || (hasTicket(refund.id, ['unresolved_outcome']) && !unexplained.includes(refund.amount)));
    if (!['succeeded', 'failed'].includes(refund.status) && !isParked) violations.push(violation(payment, `refund ${refund.id} of ${refund.amount} is ${refund.status}; open tickets: ${own.map(({ kind }) => kind).join(', ') || 'none'}; the books show ${given.join(', ') || 'nothing'} given back`));
  }
  return violations;
}

/** One by one, by what the PSP calls it where we know: what it gave back is what was asked of us, and what was done in its panel. A refund that waits for people may be either. */
function refunds(payment, seen) {
  const asked = payment.refunds.filter(({ status }) => status !== 'failed');
  // Those that name one first: what is left may be any of the others.
  const done = payment.refunds.filter(({ status }) => status === 'succeeded').sort((one, other) => Number(one.gatewayReference === null) - Number(other.gatewayReference === null));
  const parked = payment.refunds.filter(({ status }) => status === 'needs_review');
  const given = seen.chargesOf(payment).flatMap(({ refunds: made }) => made);
  const { rest, missing } = without(given, done, isSameRefund);
  const counted = sum(seen.chargesOf(payment), ({ refunded }) => refunded);
  const refused = payment.refunds.filter(({ status, origin, failure }) => status === 'failed' && origin === 'api' && failure?.code === 'processing_error');
  return [
    ...(panelAmountOf(seen, payment.id) === null && payment.refunds.some(({ origin }) => origin === 'gateway') ? [violation(payment, `nothing was given back in a panel; we have ${listed(payment.refunds)}, and the books show ${shown(given)}`)] : []),
    ...(missing.length > 0 || without(parked, rest, (ours, made) => isSameRefund(made, ours)).missing.length > 0 ? [violation(payment, `the books show ${shown(given)} given back; we have ${listed(payment.refunds)}`)] : []),
    ...payment.refunds.filter(({ status, gatewayReference }) => status === 'failed' && given.some(({ reference }) => reference === gatewayReference)).map(({ id, gatewayReference }) => violation(payment, `refund ${id} is failed, and the books show ${gatewayReference} given back`)),
    ...(sum(asked, ({ amount }) => amount) > payment.amountCaptured || counted > payment.amountCaptured ? [violation(payment, `${sum(asked, ({ amount }) => amount)} are refunded or about to be, and the PSP counts ${counted}, of ${payment.amountCaptured}`)] : []),
    ...(counted !== sum(given, ({ amount }) => amount) || payment.amountRefunded !== sum(done, ({ amount }) => amount) ? [violation(payment, `the PSP counts ${counted}, its refunds are ${shown(given)}; we count ${payment.amountRefunded}, our refunds are ${listed(payment.refunds)}`)] : []),
    ...refused.map(({ id }) => violation(payment, `refund ${id} was let through, and its PSP refused it`)),
  ];
}

/** What a client may be told for good, by what it asked; `payment` as it is at the end. */
function isLegitimate({ operation, status, answer, body }, payment, { tickets }) {
  if (status === (operation === 'create' || operation === 'refund' ? 201 : 200)) return true;
  if (operation === 'capture' || operation === 'void') {
    // Something else became of the payment before, so that there is nothing to take or to release; or a PSP that lied had it wait for people.
    const endedOtherwise = payment !== undefined && !['authorized', operation === 'capture' ? 'captured' : 'voided'].includes(payment.status);
    return status === 409 && answer?.code === 'invalid_state' && (endedOtherwise || tickets.some(({ kind, payment_id: id }) => kind === 'mismatch' && id === payment?.id));
  }
  if (operation !== 'refund' || status !== 422 || answer?.code !== 'refund_exceeds_captured' || payment === undefined) return false;
  const left = payment.amountCaptured - sum(payment.refunds.filter((refund) => refund.status !== 'failed'), ({ amount }) => amount);
  return (body?.amount ?? 1) > left;
}

/** The payment that a request was about. */
function paymentOfAnswer({ at, answer }) {
  return paymentIn(at) ?? answer?.paymentId ?? answer?.id;
}

function paymentSpokenOf({ payments }, body) {
  // An order's webhooks name the payment behind it, too.
  return payments.find(({ gatewayReference, attempts }) => (gatewayReference !== null && body.includes(gatewayReference.replace(/^ORD010*/, ''))) || attempts.some(({ id }) => body.includes(id)))?.id;
}

const panelAmountOf = ({ stories }, paymentId) => stories.get(paymentId)?.panelAmount ?? null;
const hashOf = (body) => crypto.createHash('sha256').update(body).digest('hex');
const listed = (refunds_) => refunds_.map(({ origin, status, amount, gatewayReference }) => `${amount} ${status} (${origin}, ${gatewayReference})`).join(', ') || 'none';
const shown = (given) => given.map(({ reference, amount }) => `${amount} (${reference})`).join(', ') || 'nothing';
/** One that we cannot name may be any of its amount. */
const isSameRefund = (made, ours) => made.amount === ours.amount && [null, made.reference].includes(ours.gatewayReference);
const sum = (list, of) => list.reduce((total, each) => total + of(each), 0);

/** What is left of a list when others are taken out, each once, and which of those it does not hold. */
function without(list, others, isSame = (one, other) => one === other) {
  const rest = [...list];
  const missing = others.filter((other) => {
    const at = rest.findIndex((one) => isSame(one, other));
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
  return { rest, missing };
}

/** Where payments and refunds stood, by `id version`: each step of theirs is a version. */
function stepsOf(transitions) {
  const ofRefunds = groups(transitions.filter(({ refund_id: id }) => id), ({ refund_id: id }) => id);
  return new Map([
    ...transitions.map(({ payment_id: id, version, to_status: status }) => [`${id} ${version}`, status]),
    ...[...ofRefunds].flatMap(([id, steps]) => steps.map(({ detail: status }, at) => [`${id} ${at + 1}`, status])),
  ]);
}

function judged(list, check) {
  return { judged: list.length, violations: list.flatMap(check) };
}

function together(...parts) {
  return { judged: sum(parts, (part) => part.judged), violations: parts.flatMap(({ violations }) => violations) };
}

function strays(tickets, wanted, payment) {
  return tickets.filter(({ kind, payment_id: id }) => kind === wanted && id === payment.id).map(({ evidence }) => violation(payment, `${wanted}: ${evidence}`));
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
