import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const TOOLS = resolve(import.meta.dirname, '../../tools');

/** A tool that starts a child with a grandchild, promises to remove a folder, and prints both pids. */
const STARTER = `
  import { removeAtEnd, start } from '${TOOLS}/processes.mjs';
  removeAtEnd(process.argv[2]);
  const child = start('/bin/sh', ['-c', 'sleep 300 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.once('data', (pid) => console.log(child.pid + ' ' + String(pid).trim()));
  setInterval(() => {}, 1000);
`;

describe('what npm run up and npm test start', () => {
  let folder: string;
  let starter: ChildProcess;
  let pids: number[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'smartpay-tools-'));
    writeFileSync(join(folder, 'starter.mjs'), STARTER);
    starter = spawn(process.execPath, [join(folder, 'starter.mjs'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(starter.stdout ?? starter, 'data') as [Buffer];
    pids = line.toString().trim().split(' ').map(Number);
  });
  afterEach(() => {
    starter.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('ends with its starter, grandchildren and temporary folders too, when that is killed with -9', async () => {
    expect(pids.map(isRunning)).toEqual([true, true]);
    starter.kill('SIGKILL');
    for (const endsAtMs = Date.now() + 20_000; Date.now() < endsAtMs && (pids.some(isRunning) || existsSync(folder));) await sleep(50);
    expect(pids.map(isRunning)).toEqual([false, false]);
    expect(existsSync(folder)).toBe(false);
  });
});

/** A zombie is not running, but still answers signal 0. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
