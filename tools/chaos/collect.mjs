// Waits until everything is calm, and gathers what the invariants are judged by.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chargesOf, heardWebhooks } from './books.mjs';
import { allowedTransitions } from './invariants.mjs';

const CONVERGE_MS = 60_000;
const PAGE = 100;
/** Requests of each merchant that are repeated at the end. */
const REPEATS = 100;

/** Ends the faults and waits: jobs go on, night falls once (the look-over), and operators look at what has a ticket. Tells how long it took. */
export async function converge(world, shops) {
  for (const gateway of Object.keys(world.urls)) await shops[0].control(gateway, 'DELETE', 'faults');
  const beganMs = Date.now();
  await nightFalls(world.database);
  for (let round = 0; Date.now() - beganMs < CONVERGE_MS; round += 1, await sleep(500)) {
    const payments = (await Promise.all(shops.map(paymentsOf))).flat();
    const open = payments.filter((payment) => payment.status === 'processing' || payment.pendingOperation !== null || payment.refunds.some(({ status }) => status === 'submitted'));
    const parked = payments.filter((payment) => payment.status === 'needs_review');
    if (round % 6 === 0) await lookAtTickets(shops);
    const due = await dueJobs(world.database);
    if (open.length === 0 && due.length === 0 && (parked.length === 0 || round > 20)) break;
  }
  return Date.now() - beganMs;
}

/** The daily look-over, now. */
async function nightFalls(database) {
  await database.query("update jobs set run_at = now(3), lease_token = null where unique_key = 'payments.look_over'");
  for (let i = 0; i < 40; i += 1, await sleep(250)) {
    await database.query("update jobs set run_at = now(3) where kind = 'payments.look_over_account' and lease_token is null");
    const [{ night }] = await database.query("select count(*) as night from jobs where kind = 'payments.look_over_account' or (unique_key = 'payments.look_over' and run_at < now(3) + interval 1 hour)");
    if (Number(night) === 0) return;
  }
}

/** Operators have the PSP asked about every payment with an open ticket. */
async function lookAtTickets(shops) {
  for (const shop of shops) {
    const answer = await shop.ask('GET', '/v1/tickets?status=open&limit=100', { as: shop.operator });
    for (const id of new Set((answer?.body?.data ?? []).flatMap(({ paymentId }) => paymentId ?? []))) await shop.ask('POST', `/v1/payments/${id}/sync`, { as: shop.operator });
  }
}

/** All payments of a merchant. */
async function paymentsOf(shop) {
  const all = [];
  for (let cursor = ''; ;) {
    const page = await shop.ask('GET', `/v1/payments?limit=${PAGE}${cursor}`);
    if (page?.status !== 200) { await sleep(200); continue; }
    all.push(...page.body.data);
    if (page.body.nextCursor === null) return all;
    cursor = `&cursor=${encodeURIComponent(page.body.nextCursor)}`;
  }
}

const dueJobs = (database) => database.query("select kind, count(*) as n from jobs where run_at is null or run_at < now(3) - interval 5 second group by kind");

export async function collect(world, shops, dist) {
  const { database } = world;
  const paymentsByShop = new Map();
  const charges = [];
  const sent = [];
  for (const shop of shops) {
    paymentsByShop.set(shop, await paymentsOf(shop));
    charges.push(...await chargesOf(shop));
    sent.push(...await heardWebhooks(shop));
  }
  const payments = [...paymentsByShop.values()].flat();
  const byId = new Map(payments.map((payment) => [payment.id, payment]));
  const byAttempt = new Map(payments.flatMap((payment) => payment.attempts.map(({ id }) => [id, payment])));
  const byPayment = new Map();
  for (const charge of charges) {
    const payment = byAttempt.get(charge.attemptId);
    if (payment) byPayment.set(payment.id, [...byPayment.get(payment.id) ?? [], charge]);
  }
  await askAgain(shops);
  const tickets = await database.query('select kind, payment_id, status, evidence from tickets');
  const heard = shops.flatMap((shop) => shop.heard);
  return {
    world, payments, paymentsByShop, byId, charges, sent, heard, tickets,
    refundById: new Map(payments.flatMap(({ refunds }) => refunds.map((refund) => [refund.id, refund]))),
    chargesOf: (payment) => byPayment.get(payment.id) ?? [],
    paymentOf: (charge) => byAttempt.get(charge.attemptId),
    openTickets: new Set(tickets.filter(({ status }) => status === 'open').map(({ payment_id: id }) => id)),
    everCaptured: new Set(heard.flatMap(({ seen, answer }) => ((seen ?? answer)?.status === 'captured' ? [(seen ?? answer).id] : []))),
    transitions: await database.query('select payment_id, version, from_status, to_status from payment_transitions order by payment_id, version'),
    allowed: await allowedTransitions(dist),
    ...await storedWebhooks(database),
    foreign: await foreignReads(shops, paymentsByShop),
    leaks: await leaksOf(world),
    jobsDue: await dueJobs(database),
  };
}

/** The hashes of what was stored, and how often one stands there more than once. */
async function storedWebhooks(database) {
  const rows = await database.query('select hex(body_hash) as hash, count(*) as n from webhook_events group by tenant_id, gateway, body_hash');
  return { bodyHashes: new Set(rows.map(({ hash }) => hash.toLowerCase())), storedTwice: rows.filter(({ n }) => Number(n) > 1).length };
}

/** Answers are for ever the same: what was answered under a key is asked once more. A refusal frees its key, so it is none of these. */
async function askAgain(shops) {
  for (const shop of shops) {
    for (const { key, method, at, body } of shop.heard.filter((each) => each.key && each.status < 300).slice(0, REPEATS)) {
      const answer = await shop.ask(method, at, { key, body });
      if (answer) shop.heard.push({ key, at: `${at} again`, status: answer.status, text: answer.text, answer: answer.body });
    }
  }
}

/** Every merchant asks for something of the next one's. */
async function foreignReads(shops, paymentsByShop) {
  const reads = [];
  for (const [at, shop] of shops.entries()) {
    const other = (paymentsByShop.get(shops[(at + 1) % shops.length]) ?? [])[0];
    if (!other || shops.length === 1) continue;
    for (const path_ of [`/v1/payments/${other.id}`, `/v1/payments/${other.id}/timeline`, `/v1/payments/${other.id}/refunds`]) reads.push({ path: path_, status: (await shop.ask('GET', path_))?.status });
  }
  return reads;
}

/** Secrets of the run where none may be. */
async function leaksOf(world) {
  const { home, database, canaries, secrets } = world;
  const wanted = [...new Set([...canaries, secrets.platformAdminKey, secrets.encryptionKey])];
  const found = [];
  const search = (text, place) => { for (const secret of wanted) if (text.includes(secret)) found.push(`${place} holds ${secret.slice(0, 6)}…`); };
  for (const name of Object.keys(world.members)) search(fs.readFileSync(path.join(home, `${name}.log`), 'utf8'), `${name}.log`);
  const tables = await database.query('select table_name as name from information_schema.tables where table_schema = database()');
  for (const { name } of tables) {
    const rows = await database.query(`select * from ${name}`);
    search(JSON.stringify(rows, (_key, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value)), name);
  }
  return found;
}
