import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { next, OBSERVATIONS, PAYMENT_STATUSES, TERMINAL } from '../../src/payments/payment-state.js';
import { CULQI_ROUTES } from '../../src/sandbox/culqi/culqi-persona.js';
import { FAULT_KINDS } from '../../src/sandbox/emulator/fault.js';
import { MERCADOPAGO_ROUTES } from '../../src/sandbox/mercadopago/mercadopago-persona.js';
import { PIXELPAY_ROUTES } from '../../src/sandbox/pixelpay/pixelpay-persona.js';

const ROOT = join(import.meta.dirname, '../..');
/** What a module of the tools says, run by Node as they are. */
const said = <T>(code: string): T => JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: ROOT, encoding: 'utf8' })) as T;

type Cell = { psp: string; operation: string; kind: string; where: string; faults: { route: string; kind: string }[]; blow: string | null };
const cells = said<Cell[]>("import { allCells } from './tools/chaos/cells.mjs'; console.log(JSON.stringify(allCells({ canStrikeServer: true })))");

describe('the cells of chaos', () => {
  it('are every fault that an emulator knows, on routes that it has', () => {
    const routes = new Set([...CULQI_ROUTES, ...MERCADOPAGO_ROUTES, ...PIXELPAY_ROUTES]);
    expect([...new Set(cells.flatMap(({ faults }) => faults.map(({ route }) => route)))].filter((route) => !routes.has(route))).toEqual([]);
    // Culqi's unknown word is a wrong answer by another name.
    expect(new Set(cells.flatMap(({ faults }) => faults.map(({ kind }) => kind)))).toEqual(new Set(FAULT_KINDS.filter((kind) => kind !== 'unknown_word')));
  });

  it('lie about amount, currency or reference at every PSP', () => {
    const lies = said<Record<string, unknown>[]>("import { LIE_KINDS, ROUTES, toldFault } from './tools/chaos/cells.mjs'; console.log(JSON.stringify(Object.keys(ROUTES).flatMap((psp) => LIE_KINDS.map((lie) => toldFault({ kind: 'wrong_answer' }, psp, lie).changes))))");
    expect(lies).toHaveLength(12);
    for (const changes of lies) expect(Object.keys(changes).length).toBeGreaterThan(0);
  });

  it('are all drawn in the long run, each as often as any other', () => {
    const counts = said<number[]>(`
      import { allCells, nameOf } from './tools/chaos/cells.mjs'; import { randomOf } from './tools/chaos/random.mjs';
      const cells = allCells({ canStrikeServer: true }); const counts = new Map(cells.map((cell) => [nameOf(cell), 0]));
      for (let story = 0; story < cells.length * 40; story++) { const name = nameOf(randomOf(1, 'story', story).one(cells)); counts.set(name, counts.get(name) + 1); }
      console.log(JSON.stringify([...counts.values()]))`);
    expect(counts).toHaveLength(cells.length);
    expect(Math.min(...counts)).toBeGreaterThan(12);
    expect(Math.max(...counts)).toBeLessThan(80);
  });
});

describe('the stories of chaos', () => {
  const drawn = (seed: number) => said<object[]>(`
    import { allCells } from './tools/chaos/cells.mjs'; import { randomOf } from './tools/chaos/random.mjs'; import { drawStory } from './tools/chaos/stories.mjs';
    const cells = allCells({ canStrikeServer: true });
    console.log(JSON.stringify(Array.from({ length: 60 }, (_, story) => { const random = randomOf(${seed}, 'story', story); const cell = random.one(cells); return { cell, drawn: drawStory(cell, random) }; })))`);

  it('are drawn whole before they begin, alike for the same seed', () => {
    const first = drawn(1);
    expect(drawn(1)).toEqual(first);
    expect(drawn(2)).not.toEqual(first);
    // Nothing that is drawn later, while it is played, may hang on what becomes of it.
    const source = readFileSync(join(ROOT, 'tools/chaos/stories.mjs'), 'utf8');
    expect(source.slice(source.indexOf('export async function playStory')).match(/random\.\w+\(|Math\.random/g)).toBeNull();
  });
});

describe('what chaos judges by', () => {
  it('is the published graph, written down once more', () => {
    const graph = said<Record<string, string[]>>("import { GRAPH } from './tools/chaos/invariants.mjs'; console.log(JSON.stringify(GRAPH))");
    const follows = (from: (typeof PAYMENT_STATUSES)[number]) => new Set(OBSERVATIONS.map((observation) => next({ status: from, processingReason: null }, observation).status).filter((to) => to !== from));
    expect(Object.keys(graph).sort()).toEqual([...PAYMENT_STATUSES].sort());
    for (const from of PAYMENT_STATUSES) expect(new Set(graph[from])).toEqual(follows(from));
    expect(new Set(Object.keys(graph).filter((from) => graph[from]?.length === 0))).toEqual(TERMINAL);
  });

  // What a run would gather of one payment at Culqi, captured and given back in part; and, by name, what is changed of it, with the invariants that must be broken then.
  const CHANGES: [string, string, string[]][] = [
    ['nothing is wrong', '', []],
    ['two live charges', 'charges.push({ ...charge, reference: "chr_2", refunds: [], refunded: 0 });', ['I1', 'I2']],
    ['a second charge that went back', 'tickets.push({ kind: "late_capture", payment_id: "pay_1", refund_id: null, status: "open", evidence: "" });', ['I1']],
    ['a charge of nobody, though there is a ticket', 'charges.push({ ...charge, attemptId: "att_9", reference: "chr_9" }); tickets.push({ kind: "unknown_payment", payment_id: null, status: "open", evidence: "chr_9" });', ['I2']],
    ['another currency', 'charge.currency = "USD";', ['I2', 'I3']],
    ['another merchant', 'charge.merchant = "other";', ['I2']],
    ['failed, and taken', 'payment.status = row.status = "failed"; payment.amountCaptured = 0; steps.at(-1).to_status = "failed"; heard[0].answer = { id: "pay_1", status: "processing" };', ['I2', 'I4', 'I10']],
    ['a refund done twice, the second booked as one of the panel', 'charge.refunds.push({ reference: "ref_2", amount: 500 }); charge.refunded = 1000; payment.refunds.push({ id: "rfd_2", amount: 500, origin: "gateway", status: "succeeded", gatewayReference: null }); payment.amountRefunded = 1000;', ['I10']],
    ['a refund done twice', 'charge.refunds.push({ reference: "ref_2", amount: 500 }); charge.refunded = 1000;', ['I10']],
    ['two refunds of another split', 'charge.refunds = [{ reference: "ref_1", amount: 200 }, { reference: "ref_2", amount: 300 }];', ['I10']],
    ['two refunds of one amount, of which the wrong one is called done', 'refund.gatewayReference = "ref_9"; payment.refunds.push({ ...refund, id: "rfd_2", status: "failed", gatewayReference: null });', ['I10']],
    ['a refund that is called failed, and another done that nobody can name', 'refund.gatewayReference = null; payment.refunds.push({ ...refund, id: "rfd_2", status: "failed", gatewayReference: "ref_1" });', ['I10']],
    ['a done refund that we cannot name, beside one that we can', 'payment.refunds.unshift({ ...refund, id: "rfd_2", gatewayReference: null }); charge.refunds.push({ reference: "ref_2", amount: 500 }); charge.refunded = payment.amountRefunded = 1000;', []],
    ['a key that was answered in two ways', 'heard.push({ ...heard[0], text: "{ }" });', ['I6']],
    ['a refund in the panel that nobody knows', 'story.panelAmount = 700; charge.refunds.push({ reference: "ref_2", amount: 700 }); charge.refunded = 1200;', ['I10']],
    ['a refund in the panel that is known', 'story.panelAmount = 700; charge.refunds.push({ reference: "ref_2", amount: 700 }); charge.refunded = 1200; payment.refunds.push({ id: "rfd_2", amount: 700, origin: "gateway", status: "succeeded", gatewayReference: null }); payment.amountRefunded = 1200;', []],
    ['in review, though the books show it', 'payment.status = row.status = steps.at(-1).to_status = "needs_review"; tickets.push({ kind: "mismatch", payment_id: "pay_1", refund_id: null, status: "open", evidence: "" }); charge.state = "reserved"; charge.captured = charge.refunded = 0; charge.isReserved = true; charge.refunds = payment.refunds = []; payment.amountCaptured = payment.amountRefunded = 0; heard.length = 1; heard[0].answer = { id: "pay_1", status: "processing" };', ['I5']],
    ['reserved, and no book shows it', 'payment.status = row.status = steps.at(-1).to_status = "authorized"; charges.length = 0; payment.refunds = []; payment.amountCaptured = payment.amountRefunded = 0; heard.length = 1; heard[0].answer = { id: "pay_1", status: "processing" };', ['I5']],
    ['created, though a confirmation was answered', 'payment.status = row.status = steps.at(-1).to_status = "created"; steps.length = 1; row.version = 1; charges.length = 0; payment.refunds = []; payment.amountCaptured = payment.amountRefunded = 0; heard.length = 1; heard[0].answer = { id: "pay_1", status: "created" }; heard.push({ operation: "confirm", key: "k9", at: "/v1/payments/pay_1/confirm", status: 200, text: "{}", answer: { id: "pay_1", status: "processing" } });', ['I5']],
    ['a client that never got an answer', 'seen.unanswered.push({ paymentId: "pay_1", what: "no final answer" });', ['I5']],
    ['a final status is left', 'steps.push({ payment_id: "pay_1", version: 4, from_status: "captured", to_status: "captured" }, { payment_id: "pay_1", version: 5, from_status: "captured", to_status: "needs_review" }, { payment_id: "pay_1", version: 6, from_status: "needs_review", to_status: "captured" }); row.version = 6;', ['I11']],
    ['the row is not where its last step led', 'row.version = 4;', ['I11']],
    ['a webhook that had no effect before the look-over', 'seen.world.effects.push({ paymentId: "pay_1", what: "refund.creation.succeeded of culqi", isKnown: false });', ['I12']],
    ['a webhook of a PSP that was laid aside as nobody\'s', 'took({ gateway: "culqi", event: "charge.creation.succeeded", status: "quarantined" });', ['I12']],
    ['a webhook of a PSP that is called somebody else\'s', 'took({ gateway: "culqi", event: "charge.creation.succeeded", status: "processed", payment_id: "pay_9" });', ['I12']],
    ['a webhook of a PSP that is ours', 'took({ gateway: "culqi", event: "charge.creation.succeeded", status: "processed", payment_id: "pay_1" });', []],
    ['a webhook of the number of an order', 'shop.orders = true; took({ gateway: "mercadopago", event: "payment.updated", status: "quarantined" });', []],
    ['a webhook of an order that was laid aside as nobody\'s', 'shop.orders = true; took({ gateway: "mercadopago", event: "order.processed", status: "quarantined" });', ['I12']],
    ['a webhook that waits at the end', 'seen.events.push({ id: "whe_1", gateway: "culqi", status: "received", hash: "1" });', ['I12']],
    ['a forged webhook that is stored as proven', 'seen.world.forged.push({ gateway: "culqi", paymentId: "pay_1", status: 200, hash: "2" }); seen.events.push({ id: "whe_2", gateway: "culqi", status: "processed", is_proven: 1, hash: "2" });', ['I12']],
    ['a forged webhook that is refused, and stored', 'seen.world.forged.push({ gateway: "pixelpay", paymentId: "pay_1", status: 401, hash: "3" }); seen.events.push({ id: "whe_3", gateway: "pixelpay", status: "processed", is_proven: 0, hash: "3" });', ['I12']],
    ['an acknowledged refund that is gone', 'heard.push({ seen: { id: "pay_1", status: "captured", amountCaptured: 12900, gatewayReference: "chr_1", refunds: [{ id: "rfd_9", amount: 5, status: "submitted" }] } });', ['I14']],
    ['what was acknowledged was lost, and came back later', 'heard.push({ seen: { id: "pay_1", version: 2, status: "captured", amountCaptured: 12900, gatewayReference: "chr_1" } });', ['I14']],
    ['what was acknowledged was never stored', 'heard.push({ seen: { id: "pay_1", version: 4, status: "captured", amountCaptured: 12900, gatewayReference: "chr_1" } });', ['I14']],
    ['an old version that was stored', 'heard.push({ seen: { id: "pay_1", version: 2, status: "processing" } });', []],
    ['a refund that was acknowledged in a version that was never stored', 'heard[1].answer.version = 2; steps[2].refund_id = "rfd_1"; steps[2].detail = "succeeded";', ['I14']],
    ['an instance that was not ready', 'seen.world.readings.push({ name: "service0", said: "503 {}", isReady: false });', ['I17']],
    ['a job that always fails', 'seen.jobsDue.push({ kind: "card_data.scan", last_error: "TypeError", n: 1 });', ['I18']],
    ['a wait without an answer', 'seen.world.waits.push({ ms: 8000, isLost: true, what: "GET /v1/payments/pay_1" });', ['I18']],
    ['a payment that cannot be read', 'seen.world.unreadable.push({ paymentId: "pay_1", what: "cannot be read" });', ['I17']],
    ['a capture that is refused', 'heard.push({ operation: "capture", key: "k3", at: "/v1/payments/pay_1/capture", status: 409, text: "{}", answer: { code: "invalid_state" } });', ['C1']],
    ['a refund that is refused although it is left', 'heard.push({ operation: "refund", key: "k3", at: "/v1/payments/pay_1/refunds", body: { amount: 12400 }, status: 422, text: "{}", answer: { code: "refund_exceeds_captured" } });', ['C1']],
    ['a refund that is refused because it is not left', 'heard.push({ operation: "refund", key: "k3", at: "/v1/payments/pay_1/refunds", body: { amount: 12401 }, status: 422, text: "{}", answer: { code: "refund_exceeds_captured" } });', []],
    ['a payment that is refused', 'heard.push({ operation: "create", key: "k3", at: "/v1/payments", status: 422, text: "{}", answer: { code: "no_eligible_gateway" } });', ['C1']],
  ];
  const broken = said<Record<string, string[]>>(`
    import { createHash } from 'node:crypto';
    import { INVARIANTS } from './tools/chaos/invariants.mjs';
    const judge = (change) => {
      const shop = { suffix: 'abc', heard: [] };
      const heard = shop.heard;
      const charge = { psp: 'culqi', merchant: 'abc', reference: 'chr_1', attemptId: 'att_1', amount: 12900, currency: 'PEN', state: 'captured', captured: 12900, refunded: 500, isReserved: false, refunds: [{ reference: 'ref_1', amount: 500 }] };
      const refund = { id: 'rfd_1', amount: 500, origin: 'api', status: 'succeeded', gatewayReference: 'ref_1' };
      const payment = { id: 'pay_1', status: 'captured', amount: 12900, currency: 'PEN', amountCaptured: 12900, amountRefunded: 500, gatewayReference: 'chr_1', pendingOperation: null, nextAction: null, refunds: [refund], attempts: [{ id: 'att_1' }] };
      heard.push({ operation: 'create', key: 'k1', at: '/v1/payments', status: 201, text: '{}', answer: { id: 'pay_1', status: 'captured', amountCaptured: 12900, gatewayReference: 'chr_1' } });
      heard.push({ operation: 'refund', key: 'k2', at: '/v1/payments/pay_1/refunds', body: { amount: 500 }, status: 201, text: '{}', answer: { id: 'rfd_1', paymentId: 'pay_1', status: 'succeeded' } });
      const story = { paymentId: 'pay_1', panelAmount: null, drawn: { outcome: 'approved' } };
      const charges = [charge], tickets = [], row = { id: 'pay_1', status: 'captured', version: 3 };
      const steps = [[null, 'created'], ['created', 'processing'], ['processing', 'captured']].map(([from_status, to_status], at) => ({ payment_id: 'pay_1', version: at + 1, from_status, to_status }));
      const seen = {
        payments: [payment], paymentsByShop: new Map([[shop, [payment]]]), shopOf: new Map([['pay_1', shop]]), charges, tickets, heard, rows: [row], transitions: steps, stories: new Map([['pay_1', story]]), sent: [], events: [], foreign: [], unanswered: [], jobsDue: [],
        byId: new Map([['pay_1', payment]]), refundById: new Map([['rfd_1', refund]]), chargesOf: () => charges.filter(({ attemptId }) => attemptId === 'att_1'), paymentOf: ({ attemptId }) => (attemptId === 'att_1' ? payment : undefined),
        secrets: { wanted: 1, places: 1, found: [] }, world: { misused: [], forged: [], waits: [], unreadable: [], effects: [], readings: [], members: {} },
      };
      const took = ({ event, ...stored }) => {
        seen.sent.push({ gateway: stored.gateway, merchant: 'abc', event, body: 'says chr_1' });
        seen.events.push({ id: 'whe_1', payment_id: null, hash: createHash('sha256').update('says chr_1').digest('hex'), ...stored });
      };
      eval(change);
      return [...new Set(Object.entries(INVARIANTS).filter(([, check]) => check(seen).violations.length > 0).map(([name]) => name.split(' ')[0]))];
    };
    console.log(JSON.stringify(Object.fromEntries(${JSON.stringify(CHANGES.map(([name, change]) => [name, change]))}.map(([name, change]) => [name, judge(change)]))));`);

  it.each(CHANGES)('%s', (name, _change, invariants) => {
    expect(broken[name]).toEqual(invariants);
  });
});

it('every broken variant of the service can be made, and says by which invariant it is caught (npm run chaos -- --controls)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-controls-'));
  const { names, caughtBy } = said<{ names: string[]; caughtBy: string[] }>(`
    import { brokenCopy, CONTROLS } from './tools/chaos/controls.mjs';
    import { INVARIANTS } from './tools/chaos/invariants.mjs';
    const known = Object.keys(INVARIANTS).map((name) => name.split(' ')[0]);
    for (const control of CONTROLS) {
      brokenCopy('dist', control, '${folder}/' + control.name.replaceAll(' ', '-'));
      if (!control.caughtBy.every((name) => known.includes(name))) throw new Error(control.name);
    }
    console.log(JSON.stringify({ names: CONTROLS.map(({ name }) => name), caughtBy: [...new Set(CONTROLS.flatMap(({ caughtBy }) => caughtBy))] }));`);
  rmSync(folder, { recursive: true });
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(20);
  expect(caughtBy.sort()).toEqual(['I1', 'I10', 'I11', 'I12', 'I14', 'I15', 'I16', 'I17', 'I18', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7']);
});
