// Waits until everything is calm, and gathers what the invariants are judged by.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chargesOf, heardWebhooks } from './books.mjs';
import { allowedTransitions } from './invariants.mjs';

const CONVERGE_MS = 60_000;
const PAGE = 100;

/** Ends the faults and waits; operators look at what is in review once the PSPs answer again. Tells how long it took. */
export async function converge(world, shops) {
  for (const gateway of Object.keys(world.urls)) await shops[0].control(gateway, 'DELETE', 'faults');
  const beganMs = Date.now();
  for (let round = 0; Date.now() - beganMs < CONVERGE_MS; round += 1, await sleep(500)) {
    const payments = (await Promise.all(shops.map(paymentsOf))).flat();
    const open = payments.filter((payment) => payment.status === 'processing' || payment.pendingOperation !== null || payment.refunds.some(({ status }) => status === 'submitted'));
    const parked = payments.filter((payment) => payment.status === 'needs_review');
    if (round % 6 === 0) for (const shop of shops) for (const { id } of (await paymentsOf(shop)).filter(({ status }) => status === 'needs_review')) await shop.ask('POST', `/v1/payments/${id}/sync`, { as: shop.operator });
    const due = await dueJobs(world.database);
    if (open.length === 0 && due.length === 0 && (parked.length === 0 || round > 20)) break;
  }
  return Date.now() - beganMs;
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
    bodyHashes: new Set((await database.query('select hex(body_hash) as hash from webhook_events')).map(({ hash }) => hash.toLowerCase())),
    foreign: await foreignReads(shops, paymentsByShop),
    leaks: await leaksOf(world),
    jobsDue: await dueJobs(database),
  };
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
async function leaksOf({ home, database, canaries, secrets }) {
  const wanted = [...new Set([...canaries, secrets.platformAdminKey, secrets.encryptionKey])];
  const found = [];
  const search = (text, place) => { for (const secret of wanted) if (text.includes(secret)) found.push(`${place} holds ${secret.slice(0, 6)}…`); };
  for (const name of ['service0', 'service1', 'worker']) search(fs.readFileSync(path.join(home, `${name}.log`), 'utf8'), `${name}.log`);
  const tables = await database.query('select table_name as name from information_schema.tables where table_schema = database()');
  for (const { name } of tables) {
    const rows = await database.query(`select * from ${name}`);
    search(JSON.stringify(rows, (_key, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value)), name);
  }
  return found;
}
