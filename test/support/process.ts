import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.js';
import type { Answer, Ask } from './service.js';

/** A compiled program of the service in a process of its own, as in production. */
export type Program = {
  /** Ends it, unless told otherwise as a power cut would. The exit code, or null when a signal ended it. */
  kill(signal?: NodeJS.Signals): Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
};
export type ServiceProcess = Program & { url: string; ask: <Body = never>(ask: Ask) => Promise<Answer<Body>> };

/** Free ports that are tried. */
const PORTS_MAX = 3;

/** Starts the API, on a free port unless PORT names one, and waits until `path` answers 200. `stdout`: a file in place of none. */
export async function startProcess(environment: Record<string, string>, path = '/health/ready', stdout?: number): Promise<ServiceProcess> {
  for (let tries = 1; ; tries += 1) {
    const port = environment.PORT ?? String(await freePort());
    const child = start('main', { ...environment, PORT: port }, stdout);
    const url = `http://127.0.0.1:${port}`;
    try {
      await answers(`${url}${path}`, child);
      return { url, ask: fetcher(url), ...handleOf(child) };
    } catch (error) {
      // A port that was free a moment ago may be somebody else's by now.
      if (child.exitCode === null || environment.PORT !== undefined || tries === PORTS_MAX) throw error;
    }
  }
}

/** Starts a job runner alone. */
export function startWorker(environment: Record<string, string>): Program {
  return handleOf(start('worker', environment));
}

/** Starts the migrate command. `ended`: its exit code, null when a signal ended it, and what it printed. */
export function startMigration(environment: Record<string, string>): Program & { ended: Promise<{ code: number | null; printed: string }> } {
  const child = start('migrate', environment, 'pipe');
  let printed = '';
  child.stdout?.on('data', (chunk: Buffer) => { printed += chunk.toString(); });
  return { ...handleOf(child), ended: once(child, 'close').then(([code]) => ({ code: code as number | null, printed })) };
}

function start(program: string, environment: Record<string, string>, stdout?: number | 'pipe'): ChildProcess {
  const file = join(import.meta.dirname, `../../dist/src/${program}.js`);
  if (!existsSync(file)) throw new Error('dist is missing: npm test builds it first');
  // Many are started: what was compiled once need not be again.
  const compiled = join(import.meta.dirname, '../../node_modules/.cache/compiled');
  return spawn(process.execPath, ['--enable-source-maps', file], { env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compiled, ...environment }, stdio: ['ignore', stdout ?? 'ignore', 'inherit'] });
}

function handleOf(child: ChildProcess): Program {
  return {
    signal: (signal) => { child.kill(signal); },
    kill: async (signal = 'SIGKILL') => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill(signal);
      const [code] = await once(child, 'exit') as [number | null];
      return code;
    },
  };
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (const endsAt = Date.now() + 25_000; Date.now() < endsAt; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
    if (await fetch(url).then(({ status }) => status === 200, () => false)) return;
  }
  child.kill('SIGKILL');
  throw new Error('the service did not become ready');
}

/** Asks whoever answers at `url`. */
export function fetcher(url: string) {
  return async <Body = never>({ method = 'GET', path, key, body, headers = {} }: Ask): Promise<Answer<Body>> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: Object.fromEntries(response.headers), text, body: (text === '' ? {} : JSON.parse(text)) as Body };
  };
}
