import { median, latencies, rounded } from '../measure/latency.mjs';
import { cpuMs } from '../measure/proc.mjs';
import { statementsSoFar } from '../measure/database-watch.mjs';
import { pay } from '../sides.mjs';

/** Payments as fast as they go, at each concurrency, the sides by turns; a side's figures are medians of its rounds, latencies of all. */
export async function closedLoops(bench, { concurrencies, seconds, rounds }) {
  const results = [];
  for (const concurrency of concurrencies) {
    const runs = { floor: [], service: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const name of ['floor', 'service']) runs[name].push(await measure(bench, bench.sides[name], concurrency, seconds));
    }
    const [floor, service] = [summary(runs.floor), summary(runs.service)];
    results.push({ concurrency, floor, service, ofFloor: rounded(service.perSecond / floor.perSecond) });
  }
  return results;
}

async function measure(bench, side, concurrency, seconds) {
  await pay(bench, side, { kind: 'closedLoop', concurrency, seconds: Math.min(2, seconds / 3) });
  const before = await reading(bench, side);
  const seen = await pay(bench, side, { kind: 'closedLoop', concurrency, seconds });
  const after = await reading(bench, side);
  const payments = seen.good + seen.bad;
  const each = (name) => (before[name] === null ? null : (after[name] - before[name]) / payments);
  return {
    payments, perSecond: payments / seen.seconds, latenciesMs: seen.latenciesMs, cpuMs: each('cpuMs'), databaseCpuMs: each('databaseCpuMs'),
    statements: (after.statements - before.statements - 1) / payments, // the reading itself is one
  };
}

async function reading(bench, side) {
  return { statements: await statementsSoFar(bench.database.connection), cpuMs: cpuMs(side.server.pid), databaseCpuMs: cpuMs(bench.database.pid) };
}

function summary(runs) {
  const middle = (name) => (runs[0][name] === null ? null : median(runs.map((run) => run[name])));
  return {
    payments: runs.reduce((sum, run) => sum + run.payments, 0), perSecond: middle('perSecond'), ...latencies(runs.flatMap((run) => run.latenciesMs)),
    cpuMsPerPayment: middle('cpuMs'), databaseCpuMsPerPayment: middle('databaseCpuMs'), statementsPerPayment: middle('statements'),
  };
}
