// Broken variants of the service: each lacks one protection, in a copy of the compiled tree. A chaos run that does not catch one of them proves nothing.
import fs from 'node:fs';
import path from 'node:path';
import { Trouble } from '../say.mjs';

/**
 * `patches`: file of `dist/src`, text, and what stands in its place; a text that is not there is trouble, so that no control rots unseen. `cells`: what to draw
 * from, so that a short run meets it; `payments`: how many, 60 unless said; `emulators`: their settings. `caughtBy`: the invariants that it is made to break, all of which must be violated.
 */
export const CONTROLS = [
  {
    name: 'no key check', cells: '(culqi|pixelpay) create (kill_service|reset|hang)', caughtBy: ['I6', 'I7'],
    patches: [['payments/keyed-requests.js', 'key: ask.key,', "key: newId('idk'),"]],
  },
  {
    name: 'key stored after the charge', cells: 'create (kill_service|stop_service|hang_after_booking)', caughtBy: ['I6'],
    patches: [
      ['payments/keyed-requests.js', 'await this.keys.claim(transaction, request, attemptId);', 'const used = await this.keys.find(transaction, request.tenantId, request.key); if (used !== null) throw new KeyTaken(\'used\');'],
      ['payments/keyed-requests.js', 'return { answer, stored: await this.keys.finish(', 'await this.keys.claim(transaction, request, call.attemptId).catch(() => undefined); return { answer, stored: await this.keys.finish('],
    ],
  },
  {
    name: 'a time-out means failed', cells: 'create (hang_after_booking|reset_after_booking|error_after_booking)', caughtBy: ['I4'],
    patches: [['payments/gateway-caller.js', "return { kind: 'unknown', detail:", "return { kind: 'not_done', failure: { code: 'gateway_unavailable', pspCode: null, message: 'no answer', retryable: true } }; return { kind: 'unknown', detail:"]],
  },
  {
    // At Culqi a used token refuses a second charge, and would hide it: here the emulator takes it.
    name: 'a lost charge is sent again', cells: 'culqi (create|confirm) (reset_after_booking|error_after_booking|truncated_body|html_body|empty_body) call', caughtBy: ['I1'], payments: 24, emulators: { culqi: { tokensStayGood: true } },
    patches: [['payments/gateway-caller.js', 'const observed = await performOn(this.open(account, window, secrets), call);', 'const observed = await performOn(this.open(account, window, secrets), call).catch(() => performOn(this.open(account, window, secrets), call));']],
  },
  {
    name: 'a lost refund is sent again', cells: 'culqi refund (reset_after_booking|error_after_booking|truncated_body|html_body|empty_body) call', caughtBy: ['I10'], payments: 24,
    patches: [['payments/gateway-caller.js', 'const observed = await performOn(this.open(account, window, secrets), call);', 'const observed = await performOn(this.open(account, window, secrets), call).catch(() => performOn(this.open(account, window, secrets), call));']],
  },
  {
    name: 'the PSP is called before it is stored', cells: 'create (kill_service|kill_database|restart_database)', caughtBy: ['I2'], payments: 14,
    patches: [
      ['payments/keyed-requests.js', 'begun = await begin(transaction, attemptId);', 'begun = await begin(transaction, attemptId); if (begun.call !== null) begun.early = await this.caller.make(begun.call.account, begun.call, TimeWindow.open(this.clock, this.settings.gatewayTimeoutMs)); await new Promise((later) => { setTimeout(later, 100); });'],
      ['payments/keyed-requests.js', 'const result = await this.caller.make(begun.call.account, begun.call, window);', 'const result = begun.early ?? await this.caller.make(begun.call.account, begun.call, window);'],
    ],
  },
  {
    name: 'answered before it is stored', cells: 'confirm (kill_service|kill_database|restart_database)', caughtBy: ['I14'], payments: 14,
    patches: [[
      'payments/keyed-requests.js', 'const begun = await this.begin(request, ask, begin);',
      `const begun = ask.body?.confirm !== false ? await this.begin(request, ask, begin) : await new Promise((resolve, reject) => {
            this.begin(request, ask, async (transaction, attemptId) => { const early = await begin(transaction, attemptId); resolve(early); await new Promise((later) => { setTimeout(later, 300); }); return early; }).then(resolve, reject);
        });`,
    ]],
  },
  {
    name: 'a token is logged', cells: 'create delayed_short', caughtBy: ['I16'], payments: 10,
    patches: [['payments/gateway-caller.js', "const secrets = call.operation === 'authorize' ?", "if (call.operation === 'authorize') console.log(`charging ${call.order.method.token}`); const secrets = call.operation === 'authorize' ?"]],
  },
  {
    name: 'a lost reply ends the process', cells: 'create (reset_after_booking|truncated_body) call', caughtBy: ['I17'], payments: 16,
    patches: [['payments/gateway-caller.js', "return { kind: 'unknown', detail:", "setTimeout(() => { process.exit(7); }, 20); return { kind: 'unknown', detail:"]],
  },
  {
    name: 'no deadline', cells: 'create hang_after_booking call', caughtBy: ['I18'], payments: 16,
    patches: [['gateways/contract/http.js', 'this.window.remainingMs()', '600_000'], ['platform/http/request-hooks.js', 'requestDeadlineMs + OVERTIME_MS', '600_000']],
  },
  {
    name: 'absence believed at once', cells: 'create (reset_after_booking|error_after_booking|hang_after_booking)', caughtBy: ['I4'],
    patches: [['payments/look-up-plan.js', 'const countsAsAbsent =', "if (found === 'absent') return { attempt: { ...attempt, nextLookUpAt: null }, conclusion: 'absent' }; const countsAsAbsent ="]],
  },
  {
    name: 'webhooks not deduplicated', cells: 'webhook delayed', caughtBy: ['I12'],
    patches: [['webhooks/inbound/webhook-receipt.js', 'const dedupeKey = sha256(', 'const dedupeKey = sha256(String(Math.random()) + ']],
  },
  {
    name: 'signatures not checked', cells: '(mercadopago|orders|pixelpay) webhook delayed', caughtBy: ['I12'],
    patches: [
      ['gateways/mercadopago/mercadopago.webhook.js', 'if (!isSigned(', 'if (false && !isSigned('], ['gateways/pixelpay/pixelpay.webhook.js', 'timingSafeEqual(', '(() => true)('],
    ],
  },
  {
    name: 'acknowledged before it is stored', cells: 'webhook (kill_service|kill_database|kill_sessions)', caughtBy: ['I12'],
    patches: [['webhooks/inbound/webhook-receipt.js', 'const isNew = await this.store(gateway, tenantId, notice, delivery.body);', 'const isNew = true; setTimeout(() => { void this.store(gateway, tenantId, notice, delivery.body).catch(() => undefined); }, 500);']],
  },
  {
    name: 'a webhook changes nothing', cells: 'webhook delayed', caughtBy: ['I12'],
    patches: [['payments/gateway-events.js', 'const resolution = await this.resolver.lookUp(', "return { kind: 'applied', paymentId: spokenOf.paymentId }; const resolution = await this.resolver.lookUp("]],
  },
  {
    name: 'refunds checked by read, then write', cells: '(mercadopago|orders|pixelpay) refund', caughtBy: ['I10'],
    patches: [
      ['payments/refund-beginning.js', 'const { payment } = await this.store.lock(transaction, tenantId, paymentId);\n            const record = await this.store.withParts(transaction, payment);',
        'const payment = await this.store.find(transaction, tenantId, paymentId); const record = await this.store.withParts(transaction, payment); await new Promise((resolve) => { setTimeout(resolve, 100); });'],
      // Two steps of the same version cannot both be written: a second protection, which is off here too.
      ['payments/refund-beginning.js', 'await this.store.insertTransitions(transaction, [{ payment: changed', 'void (() => undefined)(transaction, [{ payment: changed'],
    ],
  },
  {
    name: 'jobs written outside the transaction', cells: 'create (kill_service|reset_after_booking|hang_after_booking)', caughtBy: ['I5'],
    patches: ['enqueue', 'put'].map((write) => ['platform/jobs/job-queue.js', `async ${write}(access, job) {`, `async ${write}(_access, job) { if (Math.random() < 0.5) return; const access = this.database;`]),
  },
  {
    // Of a key, whose first owner stood still and comes back: what it writes then is refused. (A job's fencing is shown by test/database/jobs.spec.ts: its handlers bear being run twice.)
    name: 'a lease without fencing', cells: '(culqi|mercadopago|orders) (create|capture|refund) stop_service', caughtBy: ['I6'],
    patches: [['platform/idempotency/idempotency-keys.js', ".where('state', '=', 'running').where('owner', '=', owner)\n            .set({ state: 'done'", ".set({ state: 'done'"]],
  },
  {
    name: 'no tenant filter', cells: 'create', caughtBy: ['I15'],
    patches: [['platform/database/tenant-scope.js', "return query.where(`${table}.tenant_id`, '=', this.tenantId);", "return table === 'payments' ? query : query.where(`${table}.tenant_id`, '=', this.tenantId);"]],
  },
  {
    name: 'another amount is accepted', cells: 'create wrong_answer call', caughtBy: ['I3'],
    patches: [['payments/apply-effect.js', "return sameMoney(snapshot.amount, attempt.amount) ? null : 'the PSP shows another amount or currency';", 'return null;']],
  },
  {
    name: 'final states move', cells: 'webhook wrong_answer', caughtBy: ['I11'],
    patches: [['payments/payment-state.js', 'captured: stayAlways(),', "captured: { ...stayAlways(), pending: 'processing', mismatch: 'needs_review' },"]],
  },
];

/** A copy of the compiled tree with a control's patches. */
export function brokenCopy(dist, { name, patches }, folder) {
  fs.cpSync(dist, folder, { recursive: true });
  for (const [file, text, replacement] of patches) {
    const at = path.join(folder, 'src', file);
    const before = fs.readFileSync(at, 'utf8');
    if (!before.includes(text)) throw new Trouble(`the control "${name}" does not fit: ${file} holds no "${text}"`);
    fs.writeFileSync(at, before.replaceAll(text, replacement));
  }
  return folder;
}
