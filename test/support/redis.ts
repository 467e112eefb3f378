import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.js';

/** A Redis of a test's own; npm test installs it. The server and its checker are one program, which goes by the name that it is called by. */
export type TestRedis = { url: string; start(): Promise<void>; stop(): Promise<void> };

export async function testRedis(): Promise<TestRedis> {
  const port = await freePort();
  let stop = (): Promise<void> => Promise.resolve();
  return {
    url: `redis://127.0.0.1:${port}`,
    start: async () => {
      const server = spawn('redis-check-rdb', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/tmp'], { argv0: 'redis-server', stdio: 'ignore' });
      const ended = once(server, 'exit');
      stop = async () => {
        server.kill('SIGKILL');
        await ended;
      };
      for (const endsAt = Date.now() + 10_000; !(await accepts(port)); await sleep(20)) {
        if (Date.now() > endsAt || server.exitCode !== null) throw new Error('redis-server did not start');
      }
    },
    stop: () => stop(),
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const accepted = await once(socket, 'connect').then(() => true, () => false);
  socket.destroy();
  return accepted;
}
