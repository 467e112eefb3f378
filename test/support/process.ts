import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Ask } from './service.js';

/** The compiled service in a process of its own, as in production. */
export type ServiceProcess = {
  url: string;
  ask: <Body = never>(ask: Ask) => Promise<Answer<Body>>;
  /** Ends it as a power cut would. */
  kill(signal?: NodeJS.Signals): Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
};

const MAIN = join(import.meta.dirname, '../../dist/src/main.js');

export async function startProcess(environment: Record<string, string>): Promise<ServiceProcess> {
  if (!existsSync(MAIN)) throw new Error('dist is missing: npm test builds it first');
  const port = await freePort();
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN], {
    env: { PATH: process.env.PATH, ...environment, PORT: String(port) }, stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  await ready(url, child);
  return {
    url, ask: fetcher(url),
    signal: (signal) => { child.kill(signal); },
    kill: async (signal = 'SIGKILL') => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill(signal);
      const [code] = await once(child, 'exit') as [number | null];
      return code;
    },
  };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (const endsAt = Date.now() + 25_000; Date.now() < endsAt; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
    if (await fetch(`${url}/health/ready`).then(({ status }) => status === 200, () => false)) return;
  }
  child.kill('SIGKILL');
  throw new Error('the service did not become ready');
}

function fetcher(url: string) {
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}
