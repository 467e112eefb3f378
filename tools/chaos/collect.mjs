// Waits until everything is calm, and gathers what the invariants are judged by.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allCharges, heardWebhooks, tellsOfRefund } from './books.mjs';

const CONVERGE_MS = 60_000;
/** How long a webhook may take to have its effect, from when it was taken in and faults are over. */
const EFFECT_MS = 20_000;
const PAGE = 100;
/** How often a page is asked for until it is clear that it cannot be read. */
const TRIES_MAX = 100;
/** Requests of each merchant that are repeated at the end. */
const REPEATS = 100;
/** Nights that fall at most, in rounds: what the look-over of one did not come to, that of the next does (psp-books.ts). */
const NIGHTS = [0, 12, 24];

/**
 * Ends the faults and waits: webhooks have their effects, jobs go on, night falls (the look-over), and operators look at what has a ticket. Tells how long it
 * took; `untilMs`: when the seed's time is over.
 */
export async function converge(world, shops, played, untilMs) {
  for (const emulator of Object.values(world.emulators)) await emulator.ask('DELETE', 'faults');
  const beganMs = Date.now();
  const panels = new Set(played.filter(({ panelAmount }) => panelAmount !== null).map(({ paymentId }) => paymentId));
  world.effects.push(...await effectsOf(world, shops, panels, beganMs, untilMs));
  for (let round = 0; Date.now() - beganMs < CONVERGE_MS && Date.now() < untilMs; round += 1, await sleep(500)) {
    const payments = (await Promise.all(shops.map((shop) => paymentsOf(shop, Math.min(beganMs + CONVERGE_MS, untilMs))))).flat();
    const open = payments.filter((payment) => payment.status === 'processing' || payment.pendingOperation !== null || payment.refunds.some(({ status }) => status === 'submitted'));
    const parked = payments.filter((payment) => payment.status === 'needs_review');
    const untold = payments.filter((payment) => panels.has(payment.id) && payment.refunds.length === 0);
    if (NIGHTS[0] === round || (NIGHTS.includes(round) && untold.length > 0)) await nightFalls(world.database);
    if (round % 6 === 0) await lookAtTickets(shops);
    if (round % 6 === 5) await retryNow(world.database);
    const isBusy = open.length > 0 || await soonOf(world.database) > 0;
    if (!isBusy && (untold.length === 0 || round > NIGHTS.at(-1) + 6) && (parked.length === 0 || round > 20)) break;
  }
  return Date.now() - beganMs;
}

/**
 * Refunds made in a panel that a webhook told of which was answered 2xx, `{ paymentId, what, isKnown }`: before the first night, which finds all that the PSPs
 * have, so that nothing but the webhook tells of them. One that came too late to be waited for is none of them.
 */
async function effectsOf(world, shops, panels, beganMs, untilMs) {
  for (let round = 1; ; round += 1, await sleep(500)) {
    const sent = await heardWebhooks(world);
    const payments = (await Promise.all(shops.map((shop) => paymentsOf(shop, untilMs)))).flat().filter(({ id }) => panels.has(id));
    const told = payments.flatMap(({ id: paymentId, gatewayReference, refunds }) => {
      const webhook = sent.find((each) => tellsOfRefund(each, gatewayReference));
      if (!webhook) return [];
      return [{ paymentId, what: `${webhook.event} of ${webhook.gateway}`, isKnown: refunds.some(({ origin }) => origin === 'gateway'), isDue: Date.now() > Math.max(webhook.at, beganMs) + EFFECT_MS }];
    });
    if (told.every(({ isKnown, isDue }) => isKnown || isDue) || Date.now() > untilMs) return told.filter(({ isKnown, isDue }) => isKnown || isDue);
    if (round % 6 === 0) await retryNow(world.database);
  }
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

/** Jobs that failed while the database was struck wait longer each time, up to minutes: here that time passes at once. */
const retryNow = (database) => database.query('update jobs set run_at = now(3) where last_error is not null and lease_token is null and run_at > now(3)');

/** Operators have the PSP asked about every payment with an open ticket. */
async function lookAtTickets(shops) {
  for (const shop of shops) {
    const answer = await shop.ask('GET', '/v1/tickets?status=open&limit=100', { as: shop.operator });
    for (const id of new Set((answer?.body?.data ?? []).flatMap(({ paymentId }) => paymentId ?? []))) await shop.ask('POST', `/v1/payments/${id}/sync`, { as: shop.operator });
  }
}

/** All payments of a merchant, asked of either instance; what cannot be read is noted, and is not waited for without end. */
async function paymentsOf(shop, untilMs) {
  const all = [];
  for (let cursor = '', tries = 0; ;) {
    const page = await shop.ask('GET', `/v1/payments?limit=${PAGE}${cursor}`, { service: tries % 2 });
    if (page?.status !== 200) {
      tries += 1;
      if (tries < TRIES_MAX && Date.now() < untilMs) { await sleep(200); continue; }
      shop.world.unreadable.push({ what: `the payments of ${shop.suffix} could not be read in ${tries} tries: ${page?.status ?? 'no answer'}` });
      return all;
    }
    all.push(...page.body.data);
    if (page.body.nextCursor === null) return all;
    cursor = `&cursor=${encodeURIComponent(page.body.nextCursor)}`;
  }
}

/** Work that is due soon or has failed, and webhooks that wait; not what recurs, which no tenant has, nor look-ups, unless they failed: what waits for its customer is polled for ever. */
async function soonOf(database) {
  const [{ n }] = await database.query("select (select count(*) from jobs where last_error is not null or (tenant_id <> '' and kind <> 'payments.look_up' and (run_at is null or run_at < now(3) + interval 15 second))) + (select count(*) from webhook_events where status = 'received') as n");
  return Number(n);
}

/** Everything at the end: what the API says, what stands in the tables, and what the PSPs have in their books. */
export async function collect(world, shops, played) {
  const { database } = world;
  const readUntilMs = Date.now() + 30_000;
  const paymentsByShop = new Map();
  for (const shop of shops) paymentsByShop.set(shop, await paymentsOf(shop, readUntilMs));
  const charges = await allCharges(world);
  const sent = await heardWebhooks(world);
  const payments = [...paymentsByShop.values()].flat();
  const shopOf = new Map([...paymentsByShop].flatMap(([shop, own]) => own.map((payment) => [payment.id, shop])));
  const byAttempt = new Map(payments.flatMap((payment) => payment.attempts.map(({ id }) => [id, payment])));
  const byPayment = new Map();
  for (const charge of charges) {
    const payment = byAttempt.get(charge.attemptId);
    if (payment) byPayment.set(payment.id, [...byPayment.get(payment.id) ?? [], charge]);
  }
  await askAgain(shops);
  // One that came a moment ago is being dealt with.
  for (let i = 0; i < 20 && await soonOf(database) > 0; i += 1, await sleep(250)) await retryNow(database);
  return {
    world, payments, paymentsByShop, shopOf, charges, sent,
    stories: new Map(played.flatMap((story) => (story.paymentId === null ? [] : [[story.paymentId, story]]))),
    byId: new Map(payments.map((payment) => [payment.id, payment])),
    heard: shops.flatMap((shop) => shop.heard),
    unanswered: await named(database, world.unanswered),
    refundById: new Map(payments.flatMap(({ refunds }) => refunds.map((refund) => [refund.id, refund]))),
    chargesOf: (payment) => byPayment.get(payment.id) ?? [],
    paymentOf: (charge) => byAttempt.get(charge.attemptId),
    tickets: await database.query('select kind, payment_id, refund_id, status, evidence from tickets'),
    rows: await database.query('select id, status, version from payments'),
    transitions: await database.query('select payment_id, version, from_status, to_status, refund_id, detail from payment_transitions order by payment_id, version'),
    events: await database.query('select id, gateway, status, is_proven, payment_id, lower(hex(body_hash)) as hash, lower(hex(gateway_reference)) as reference, tenant_id from webhook_events'),
    foreign: await foreignReads(shops, paymentsByShop),
    secrets: await leaksOf(world),
    // Nothing is struck any more, and what failed was tried again: no job carries an error.
    jobsDue: await database.query('select kind, last_error, count(*) as n from jobs where run_at is null or run_at < now(3) - interval 5 second or last_error is not null group by kind, last_error'),
  };
}

/** Requests that never had a final answer, each with the payment that its key stands for. */
async function named(database, unanswered) {
  const named_ = [];
  for (const { key, ...each } of unanswered) {
    const [row] = each.paymentId ? [] : await database.query('select a.payment_id as id from idempotency_keys k join payment_attempts a on a.id = k.attempt_id where k.idempotency_key = ?', [Buffer.from(key)]);
    named_.push({ ...each, paymentId: each.paymentId ?? row?.id });
  }
  return named_;
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
    for (const path_ of [`/v1/payments/${other.id}`, `/v1/payments/${other.id}/timeline`, `/v1/payments/${other.id}/refunds`]) reads.push({ path: path_, paymentId: other.id, status: (await shop.ask('GET', path_))?.status });
  }
  return reads;
}

/** Secrets of the run where none may be, and in how many places each was looked for. */
async function leaksOf(world) {
  const { home, database, canaries, secrets, members } = world;
  const wanted = [...new Set([...canaries, secrets.platformAdminKey, secrets.encryptionKey])];
  const found = [];
  const search = (text, place) => { for (const secret of wanted) if (text.includes(secret)) found.push(`${place} holds ${secret.slice(0, 6)}…`); };
  for (const name of Object.keys(members)) search(fs.readFileSync(path.join(home, `${name}.log`), 'utf8'), `${name}.log`);
  const tables = await database.query('select table_name as name from information_schema.tables where table_schema = database()');
  for (const { name } of tables) {
    const rows = await database.query(`select * from ${name}`);
    search(JSON.stringify(rows, (_key, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value)), name);
  }
  return { wanted: wanted.length, places: Object.keys(members).length + tables.length, found };
}
