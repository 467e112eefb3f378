import { randomUUID } from 'node:crypto';
import { latencies, rounded } from '../measure/latency.mjs';
import { statementsSoFar } from '../measure/database-watch.mjs';
import { pay, paymentTask } from '../sides.mjs';

/** One payment, then the same key and body again and again. */
export async function replay(bench, { concurrency, seconds }) {
  const side = bench.sides.service;
  const idempotencyKey = randomUUID();
  await pay(bench, side, { kind: 'burst', count: 1, idempotencyKey });
  const task = { ...paymentTask(side, { kind: 'closedLoop', concurrency, seconds }), idempotencyKey, replayed: true };
  await bench.load.run({ ...task, seconds: seconds / 3 });
  const before = await statementsSoFar(bench.database.connection);
  const seen = await bench.load.run(task);
  const statements = (await statementsSoFar(bench.database.connection)) - before - 1;
  bench.note('service, replay', seen);
  return {
    concurrency, perSecond: rounded(seen.good / seen.seconds), ...latencies(seen.latenciesMs),
    statementsPerReplay: rounded(statements / seen.latenciesMs.length),
  };
}
