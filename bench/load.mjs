// The load generator, a process of its own: takes one task after another over IPC, keeps its connections between them, and answers with what it saw.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const agents = new Map();
const newAgent = (maxSockets) => new http.Agent({ keepAlive: true, maxSockets, scheduling: 'lifo' });
const agentFor = (sockets) => agents.get(sockets) ?? agents.set(sockets, newAgent(sockets)).get(sockets);

/** One request; it never throws. `status` 0 is a connection that failed. */
function ask({ agent, method, url, key, body, idempotencyKey }) {
  const headers = { authorization: `Bearer ${key}`,
    ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    ...(idempotencyKey && { 'idempotency-key': idempotencyKey }) };
  return new Promise((resolve) => {
    http.request(url, { method, agent, headers, timeout: 60_000 }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', (error) => resolve({ status: 0, text: String(error), headers: {} }));
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString(), headers: response.headers }));
    }).on('error', (error) => resolve({ status: 0, text: String(error), headers: {} })).end(body);
  });
}

/** Whether the answer is what the task expects; the first that is not is kept for the report. */
function judge(task, answer, seen) {
  const replayed = answer.headers['idempotent-replayed'] === 'true';
  const isGood = answer.status === task.status && replayed === (task.replayed ?? false)
    && (!task.paymentStatus || JSON.parse(answer.text).status === task.paymentStatus);
  if (isGood) seen.good += 1;
  else {
    seen.bad += 1;
    seen.firstBad ??= `${answer.status} ${answer.text.slice(0, 400)}`;
  }
}

async function one(task, agent, fromMs, seen) {
  const answer = await ask({ agent, ...task, idempotencyKey: task.method === 'POST' ? task.idempotencyKey ?? randomUUID() : undefined });
  seen.latenciesMs.push(performance.now() - fromMs);
  seen.startedMs.push(fromMs);
  judge(task, answer, seen);
}

/** `concurrency` askers, each with one request at a time, until `seconds` have passed. */
async function closedLoop(task, seen) {
  const agent = agentFor(task.concurrency);
  const endMs = performance.now() + task.seconds * 1000;
  await Promise.all(Array.from({ length: task.concurrency }, async () => {
    while (performance.now() < endMs) await one(task, agent, performance.now(), seen);
  }));
}

/** A request every 1/`perSecond`, however long the earlier ones take. A latency counts from when its request was due: no delay of ours hides. */
async function openLoop(task, seen) {
  const [agent, beganMs, underWay] = [agentFor(Infinity), performance.now(), []];
  for (let sent = 0; sent < task.perSecond * task.seconds; sent += 1) {
    const dueMs = beganMs + (sent * 1000) / task.perSecond;
    if (dueMs > performance.now()) await sleep(dueMs - performance.now());
    underWay.push(one(task, agent, dueMs, seen));
  }
  await Promise.all(underWay);
}

/** `count` requests at once. */
async function burst(task, seen) {
  const nowMs = performance.now();
  await Promise.all(Array.from({ length: task.count }, () => one(task, agentFor(Infinity), nowMs, seen)));
}

const KINDS = { closedLoop, openLoop, burst };

process.on('message', async ({ number, task }) => {
  const seen = { good: 0, bad: 0, latenciesMs: [], startedMs: [] };
  const beganMs = performance.now();
  await KINDS[task.kind](task, seen);
  process.send({ number, seen: { ...seen, startedMs: seen.startedMs.map((ms) => ms - beganMs), seconds: (performance.now() - beganMs) / 1000 } });
});
process.on('disconnect', () => process.exit(0));
