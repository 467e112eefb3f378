// Children of `npm run up` and `npm test`: started so that nothing outlives us, even after kill -9, and stopped by group.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Trouble } from './say.mjs';

const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => fs.existsSync(file));

// Lives until its standard input ends, which is when we are gone, however we went; then it clears up after us. It reads lines:
// `group PGID` and `forget PGID`, `remove FOLDER`, `run COMMAND`; `done` means that nothing is left to do. The pdeathsig of setpriv reaches a child, this reaches its children too.
const REAPER = `trap '' INT TERM HUP; groups=' '; folders=; commands=
while read -r verb what; do case $verb in
  done) exit 0 ;;
  group) groups="$groups$what " ;;
  forget) groups=$(printf %s "$groups" | sed "s/ $what / /") ;;
  remove) folders="$folders$what
" ;;
  run) commands="$commands$what
" ;;
esac; done
for g in $groups; do kill -s TERM -- -$g 2>/dev/null; done
n=0; while [ $n -lt 100 ]; do left=; for g in $groups; do kill -s 0 -- -$g 2>/dev/null && left=1; done; [ -z "$left" ] && break; n=$((n+1)); sleep 0.1; done
for g in $groups; do kill -s KILL -- -$g 2>/dev/null; done
printf %s "$commands" | while read -r c; do sh -c "$c" </dev/null; done
printf %s "$folders" | while read -r f; do rm -rf "$f"; done`;

let reaper;
function tellReaper(line) {
  if (!reaper) {
    reaper = spawn('/bin/sh', ['-c', REAPER], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    reaper.stdin.on('error', () => {}); // it was killed: setpriv still holds
    reaper.unref();
    reaper.stdin.unref();
  }
  reaper.stdin.write(`${line}\n`);
}

const folders = [];
const commands = [];

/** The folder goes with us. */
export function removeAtEnd(folder) {
  folders.push(folder);
  tellReaper(`remove ${folder}`);
}

/** Runs the shell command when all children have ended, or this process is gone. */
export function runAtEnd(command) {
  commands.push(command);
  tellReaper(`run ${command}`);
}

const running = new Set();
let isStopping = false;
let leftoversFile;

/** Starts a program in a process group of its own, so that Ctrl-C reaches only us; it ends when we end. */
export function start(file, args, options = {}) {
  if (isStopping) throw new Trouble('stopping');
  const command = SETPRIV ? [SETPRIV, '--pdeathsig', 'TERM', '--', file, ...args] : [file, ...args];
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], ...options, detached: true });
  child.exited = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 127, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (child.pid) {
    tellReaper(`group ${child.pid}`);
    running.add(child);
    noteLeftovers();
    void child.exited.then(() => {
      if (!groupIsAlive(child.pid)) tellReaper(`forget ${child.pid}`);
      running.delete(child);
      noteLeftovers();
    });
  }
  return child;
}

/** Stops all that {@link start} started, the newest first, and does what was to be done at the end. */
export async function stopAll(graceMs = 40_000) {
  isStopping = true;
  for (const child of [...running].reverse()) await stop(child, graceMs);
  for (const command of commands) spawnSync('/bin/sh', ['-c', command], { stdio: 'ignore' });
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
  tellReaper('done');
}

/** From now on the file names our children; those that a killed run before us left are ended first. */
export async function endLeftovers(file) {
  leftoversFile = file;
  const names = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  for (const name of names) {
    const pid = Number(name.split(' ')[0]);
    if (isRunning(name)) await stop({ pid });
  }
  noteLeftovers();
}

function noteLeftovers() {
  if (leftoversFile) fs.writeFileSync(leftoversFile, [...running].map((child) => `${identityOf(child.pid)}\n`).join(''), { mode: 0o600 });
}

/** Asks the child's whole group to end; after `graceMs` it is killed. */
export async function stop(child, graceMs = 15_000) {
  if (!child.pid) return;
  signalGroup(child.pid, 'SIGTERM');
  for (const end = Date.now() + graceMs; groupIsAlive(child.pid) && Date.now() < end; ) await sleep(25);
  signalGroup(child.pid, 'SIGKILL');
  await child.exited;
}

function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
  } catch {
    // gone already
  }
}

/** A zombie answers `kill -0`, so the state is read from /proc. */
function groupIsAlive(group) {
  for (const entry of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = statOf(entry);
    if (stat && stat.group === group && stat.state !== 'Z' && stat.state !== 'X') return true;
  }
  return false;
}

function statOf(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], parent: Number(fields[1]), group: Number(fields[2]), startedAt: fields[19], name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')) };
  } catch {
    return undefined;
  }
}

/** Names a process for ever: a pid alone comes again. */
export function identityOf(pid) {
  return `${pid} ${statOf(pid)?.startedAt ?? '?'}`;
}

/** Whether the process that {@link identityOf} named still runs. */
export function isRunning(identity) {
  const [pid, startedAt] = String(identity).split(' ');
  const stat = statOf(pid);
  return stat !== undefined && stat.startedAt === startedAt && stat.state !== 'Z';
}

/** Calls back when npm, if npm started us, is gone: killed with -9, or ended by a signal that it passed on to nobody. */
export function whenNpmIsGone(callback) {
  if (!process.env.npm_lifecycle_event) return;
  const npm = starter();
  setInterval(() => starter() !== npm && callback(), 500).unref();
}

/** Our parent; where that is only the shell that npm puts between, npm, too. */
function starter() {
  const parent = statOf(process.ppid);
  return /^(ba|da)?sh$/.test(parent?.name ?? '') ? `${process.ppid} of ${parent.parent}` : String(process.ppid);
}
