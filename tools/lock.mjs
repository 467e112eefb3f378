// A lock between processes of one machine: a file that names its owner, who may have died.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isRunning } from './processes.mjs';
import { say } from './say.mjs';

/** Takes the lock and answers how to free it; undefined while a living process has it. */
export function takeLock(file) {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  for (let tries = 0; tries < 3; tries += 1) {
    if (create(file, identityOf(process.pid))) return () => fs.rmSync(file, { force: true });
    if (isRunning(ownerOf(file))) return undefined;
    fs.rmSync(file, { force: true });
  }
  return undefined;
}

/** A link appears with its content, so that nobody ever reads a lock without an owner. */
function create(file, content) {
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, content, { mode: 0o600 });
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(draft);
  }
}

/** Runs the work while it has the lock, and waits for the lock as long as its owner lives. */
export async function withLock(file, work) {
  let free = takeLock(file);
  if (!free) say(`  another process (pid ${ownerOf(file).split(' ')[0]}) is at it; waiting`);
  while (!free) {
    await sleep(200);
    free = takeLock(file);
  }
  try {
    return await work();
  } finally {
    free();
  }
}

/** Who has the lock: `pid started-at`. */
export function ownerOf(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
