// Programs that come from Debian's packages.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { start } from './processes.mjs';
import { say, step, Trouble } from './say.mjs';

const PLACES = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/usr/libexec', ...(process.env.PATH ?? '').split(':').filter(Boolean)];

export const IS_ROOT = process.getuid?.() === 0;

/** Where `program` is, after installing `debianPackage` if it is missing and we may; `instead` tells a person what else to do. */
export async function ensureProgram(program, debianPackage, instead) {
  const find = () => PLACES.map((folder) => path.join(folder, program)).find((file) => fs.existsSync(file));
  if (!find()) await install(debianPackage, `${instead}, or install ${debianPackage}`);
  const found = find();
  if (!found) throw new Trouble(`${debianPackage} is installed but brought no ${program}; ${instead}`);
  return found;
}

async function install(debianPackage, byHand) {
  if (spawnSync('apt-get', ['--version']).status !== 0) throw new Trouble(`${debianPackage} is missing: ${byHand}`);
  if (!IS_ROOT) throw new Trouble(`${debianPackage} is missing: ${byHand} (sudo apt-get install ${debianPackage})`);
  await step(`installing ${debianPackage} with apt-get`, async () => {
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', debianPackage]]) {
      say(`  apt-get ${args.join(' ')}`);
      const { code } = await start('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0', ...args], {
        stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).exited;
      if (code !== 0 && args[0] === 'install') throw new Trouble(`apt-get could not install ${debianPackage} (see above); ${byHand}`);
    }
  });
}
