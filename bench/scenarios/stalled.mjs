import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchIdleTransactions } from '../measure/database-watch.mjs';
import { latencies } from '../measure/latency.mjs';
import { residentMiB } from '../measure/proc.mjs';
import { startLoad } from '../programs.mjs';
import { pay, paymentTask } from '../sides.mjs';

const STALL_MS = 20_000;
const FOUND_WITHIN_MS = 60_000;

/**
 * A PSP that answers after 20 s, when the service has given up, and `creates` payments at once; meanwhile somebody reads a payment, `readsPerSecond`.
 * Ends when the look-ups have found every charge. Jobs run in the service's own process here, as `npm start` has it.
 */
export async function stalledPsp(bench, { creates, readsPerSecond }) {
  const side = bench.sides.service;
  side.server = await bench.startService({ WORKER: 'inline' });
  await pay(bench, side, { kind: 'openLoop', perSecond: 50, seconds: 2 });
  const existing = await firstPayment(bench, side);
  const reader = startLoad();
  const url = `${side.server.url}/v1/payments/${existing}`;
  const reading = { kind: 'openLoop', perSecond: readsPerSecond, method: 'GET', url, key: side.key, status: 200, paymentStatus: 'captured' };
  await reader.run({ ...reading, seconds: 1 });

  await setDelay(bench, STALL_MS);
  const watch = watchIdleTransactions(bench.database.connection, side.schema.name);
  const reads = reader.run({ ...reading, seconds: 18 });
  const created = await bench.load.run({ ...paymentTask(side, { kind: 'burst', count: creates }), paymentStatus: 'processing' });
  bench.note('service, creates at a stalled PSP', created);
  side.made += created.good;
  const answeredMs = Math.max(...created.latenciesMs);
  const seen = await reads;
  bench.note('service, reads while the PSP stalls', seen);
  await setDelay(bench, bench.stubDelayMs);
  const idle = await watch.stop();
  const foundAfterMs = await untilAllCaptured(bench, side);
  if (foundAfterMs === null) bench.mistakes.push('service: not every payment at the stalled PSP was found again');
  await reader.stop();
  const result = {
    creates, stallMs: STALL_MS, createsAnswered: latencies(created.latenciesMs), reads: { perSecond: readsPerSecond, ...latencies(seen.latenciesMs) },
    readsByPart: byPart(seen, answeredMs), idleInTransaction: idle, foundAfterMs, residentMiB: residentMiB(side.server.pid),
  };
  await side.server.stop();
  return result;
}

/** The reads while the creates come in (2 s), while all wait for the PSP, and while they are given up. */
function byPart({ latenciesMs, startedMs }, answeredMs) {
  const between = (fromMs, toMs) => latencies(latenciesMs.filter((_ms, index) => startedMs[index] >= fromMs && startedMs[index] < toMs));
  return { comingIn: between(0, 2_000), waiting: between(2_000, 14_500), givingUp: between(14_500, answeredMs + 500) };
}

async function firstPayment({ database: { connection } }, { schema }) {
  const [[{ id }]] = await connection.query(`select id from ${schema.name}.payments order by id desc limit 1`);
  return id;
}

async function setDelay({ stub }, ms) {
  await fetch(`${stub.url}/delay?ms=${ms}`, { method: 'POST' });
}

/** How long it takes until no payment is in doubt any more; null when it takes too long. */
async function untilAllCaptured({ database: { connection } }, { schema }) {
  const beganMs = performance.now();
  for (; performance.now() - beganMs < FOUND_WITHIN_MS; await sleep(200)) {
    const [[{ left }]] = await connection.query(`select count(*) as \`left\` from ${schema.name}.payments where status <> 'captured'`);
    if (Number(left) === 0) return Math.round(performance.now() - beganMs);
  }
  return null;
}
