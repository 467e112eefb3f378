// What a clone needs before anything can run: its packages and its build, each made only when it is missing or old.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { start } from './processes.mjs';
import { step, Trouble } from './say.mjs';

/** The project's folder. */
export const ROOT = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');

const at = (...names) => path.join(ROOT, ...names);
const textOf = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined);
const changedMs = (file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** The Node of the project, from npm (stack.md §1); the one we run on where npm has none for this platform. */
export function node() {
  const own = at('node_modules', '.bin', 'node');
  return fs.existsSync(own) ? own : process.execPath;
}

/** Installs the packages of package-lock.json unless they are there. */
export async function ensureInstalled() {
  const stamp = at('node_modules', '.installed-from'); // a checkout gives the lock a new date, not a new content
  const lock = () => crypto.createHash('sha256').update(fs.readFileSync(at('package-lock.json'))).digest('hex');
  const isInstalled = () => textOf(stamp) === lock() || changedMs(at('node_modules', '.package-lock.json')) >= changedMs(at('package-lock.json'));
  if (isInstalled()) return;
  await withLock(at('.data', 'install.lock'), async () => {
    if (isInstalled()) return;
    // npm ci would empty the tree that the link leads to.
    if (fs.lstatSync(at('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) throw new Trouble('node_modules is a link to another tree, whose packages are old: install there');
    await step('installing packages with npm ci (about a minute)', () => run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']));
    fs.writeFileSync(stamp, lock());
  });
}

/** Builds `dist` unless it is newer than everything it is made of. */
export async function ensureBuilt() {
  const stamp = at('dist', '.built');
  const isBuilt = () => changedMs(stamp) > newestSourceMs();
  if (isBuilt()) return;
  await withLock(at('.data', 'build.lock'), async () => {
    if (isBuilt()) return;
    const began = new Date();
    await step('building dist', () => run('the build', node(), [at('node_modules', '@nestjs', 'cli', 'bin', 'nest.js'), 'build']));
    fs.writeFileSync(stamp, '');
    fs.utimesSync(stamp, began, began); // what was changed while the build ran is newer
  });
}

function newestSourceMs() {
  const folders = ['src', 'migrations'].flatMap((name) => [at(name), ...fs.readdirSync(at(name), { recursive: true }).map((entry) => at(name, entry))]);
  const settings = ['package.json', 'package-lock.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'].map((name) => at(name));
  return Math.max(...[...folders.filter((file) => !file.endsWith('.spec.ts')), ...settings].map(changedMs));
}

async function run(name, file, args) {
  const { code, error } = await start(file, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).exited;
  if (code !== 0) throw new Trouble(`${name} failed (${error?.code ?? `exit ${code}`}); what it printed stands above`);
}
