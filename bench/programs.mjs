// The processes of a run: both servers, the stub and the load generator, each in its own, with Node 24 as in production.
import fs from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../tools/ports.mjs';
import { start, stop } from '../tools/processes.mjs';
import { node, ROOT } from '../tools/project.mjs';
import { Trouble } from '../tools/say.mjs';

const READY_WITHIN_MS = 30_000;

/** Starts a server of ours on a free port and waits until `readyPath` answers 200; `readyMs` is how long that took from the spawn. */
export async function startServer({ name, file, env, readyPath, nodeArgs = [], home }) {
  const port = await freePort();
  const log = path.join(home, `${name}.log`);
  const output = fs.openSync(log, 'a', 0o600);
  const beganMs = performance.now();
  const child = start(node(), [...nodeArgs, path.join(ROOT, file)], {
    cwd: ROOT, env: { PATH: process.env.PATH, PORT: String(port), ...env }, stdio: ['ignore', output, output],
  });
  fs.closeSync(output);
  const url = `http://127.0.0.1:${port}`;
  let death;
  void child.exited.then(({ code, signal }) => (death = signal ?? `exit ${code}`));
  while (!(await answersOk(`${url}${readyPath}`))) {
    if (death || performance.now() - beganMs > READY_WITHIN_MS) {
      throw new Trouble(`${name} did not become ready (${death ?? 'no answer'}):\n${lastLines(log)}`);
    }
    await sleep(5);
  }
  return { name, url, pid: child.pid, readyMs: performance.now() - beganMs, stop: () => stop(child) };
}

/** Runs a program of the service to its end. */
export async function runProgram(file, env, home) {
  const log = path.join(home, `${path.basename(file)}.log`);
  const output = fs.openSync(log, 'a', 0o600);
  const options = { cwd: ROOT, env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', output, output] };
  const { code } = await start(node(), [path.join(ROOT, file)], options).exited;
  fs.closeSync(output);
  if (code !== 0) throw new Trouble(`${file} failed (exit ${code}):\n${lastLines(log)}`);
}

/** Starts a load generator; `run` gives it a task (see load.mjs) and resolves with what it saw. */
export function startLoad() {
  const options = { cwd: ROOT, env: { PATH: process.env.PATH }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] };
  const child = start(node(), [path.join(ROOT, 'bench', 'load.mjs')], options);
  const waiting = new Map();
  child.on('message', ({ number, seen }) => waiting.get(number).resolve(seen));
  void child.exited.then(() => waiting.forEach(({ reject }) => reject(new Trouble('the load generator died'))));
  let last = 0;
  return {
    run: (task) => new Promise((resolve, reject) => {
      const number = (last += 1);
      waiting.set(number, { resolve, reject });
      child.send({ number, task });
    }),
    stop: () => stop(child),
  };
}

/** The end of a log, for a person. */
function lastLines(file, count = 15) {
  return fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}

async function answersOk(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false; // not listening yet
  }
}
