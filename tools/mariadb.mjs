// A private MariaDB from Debian's `mariadb-server-core`: its own folder, port and system tables; nothing of the system's own server is read or touched.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureProgram, IS_ROOT } from './debian.mjs';
import { freePort, greets } from './ports.mjs';
import { start, stop } from './processes.mjs';
import { Trouble } from './say.mjs';

const PACKAGE = 'mariadb-server-core';
const AS_ROOT = IS_ROOT ? ['--user=root'] : [];

/**
 * Starts the server of `home` on 127.0.0.1, made first if it is new, on `port` if that is free. It ends with us; `died` resolves when it does.
 * `setUp` are statements run at every start, before the first connection.
 * `throwAway`: survives a kill of the server, not of the machine, and is much quicker.
 */
export async function startMariadb({ home, port, setUp, throwAway = false }) {
  const mariadbd = await ensureProgram('mariadbd', PACKAGE, 'set DATABASE_URL to a MySQL 8 or MariaDB 10.11 server, or start Docker');
  const at = (name) => path.join(home, name);
  for (const folder of [home, at('tmp')]) fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!fs.existsSync(at('made'))) await makeSystemTables(mariadbd, home);

  const port_ = await freePort(port);
  fs.writeFileSync(at('set-up.sql'), setUp.map((statement) => `${statement};\n`).join(''), { mode: 0o600 });
  const log = fs.openSync(at('server.log'), 'w', 0o600);
  const server = start(mariadbd, [
    ...common(home), `--port=${port_}`, '--bind-address=127.0.0.1', '--skip-name-resolve', `--init-file=${at('set-up.sql')}`,
    '--socket=mariadb.sock', // relative to the data folder: a full path may not be longer than 107 bytes
    `--pid-file=${at('pid')}`, '--max-connections=400', '--performance-schema=OFF', '--skip-log-bin',
    '--character-set-server=utf8mb4', '--innodb-buffer-pool-size=128M', '--max-allowed-packet=64M',
    ...(throwAway ? ['--innodb-flush-log-at-trx-commit=2', '--innodb-flush-method=nosync', '--innodb-doublewrite=OFF'] : []),
  ], { stdio: ['ignore', log, log] });
  fs.closeSync(log);
  if (!(await answers(server, port_))) {
    await stop(server);
    throw new Trouble(`the private MariaDB did not start; its log ${at('server.log')} ends:\n${lastLines(at('server.log'))}`);
  }
  fs.rmSync(at('set-up.sql')); // it holds a password
  const died = server.exited.then(() => new Trouble(`the private MariaDB died; its log ${at('server.log')} ends:\n${lastLines(at('server.log'))}`));
  return { port: port_, died, stop: () => stop(server) };
}

const common = (home) => ['--no-defaults', ...AS_ROOT, `--datadir=${path.join(home, 'data')}`, `--tmpdir=${path.join(home, 'tmp')}`];

async function answers(server, port) {
  let ended = false;
  void server.exited.then(() => (ended = true));
  for (let tries = 0; tries < 600 && !ended; tries += 1) {
    if (await greets('127.0.0.1', port, 1000)) return !ended;
    await sleep(50);
  }
  return false;
}

/** `mariadb-install-db` wants a program of the client package; what it does is to feed these files to the server. */
async function makeSystemTables(mariadbd, home) {
  fs.rmSync(path.join(home, 'data'), { recursive: true, force: true });
  fs.mkdirSync(path.join(home, 'data'), { mode: 0o700 });
  const files = ['system_tables', 'performance_tables', 'system_tables_data'].map(systemTablesFile);
  const sql = ['create database if not exists mysql;', 'use mysql;', 'set @auth_root_socket=NULL;',
    ...files.map((file) => fs.readFileSync(file, 'utf8').replace(/^.*@current_hostname.*$/gm, ''))].join('\n');
  fs.writeFileSync(path.join(home, 'system-tables.sql'), sql);
  const [input, log] = [fs.openSync(path.join(home, 'system-tables.sql'), 'r'), fs.openSync(path.join(home, 'make.log'), 'w')];
  const { code } = await start(mariadbd, [...common(home), '--bootstrap', '--log-warnings=0', '--max-allowed-packet=8M',
    '--innodb-flush-method=nosync'], { stdio: [input, log, log] }).exited;
  [input, log].forEach((file) => fs.closeSync(file));
  fs.rmSync(path.join(home, 'system-tables.sql'));
  if (code !== 0) throw new Trouble(`MariaDB could not make its system tables; ${home}/make.log ends:\n${lastLines(path.join(home, 'make.log'))}`);
  fs.writeFileSync(path.join(home, 'made'), '');
}

function systemTablesFile(name) {
  const names = ['/usr/share/mysql', '/usr/share/mariadb'].flatMap((folder) => [`${folder}/mysql_${name}.sql`, `${folder}/mariadb_${name}.sql`]);
  const found = names.find((file) => fs.existsSync(file));
  if (!found) throw new Trouble(`${PACKAGE} is not whole: ${names[0]} is missing; run: apt-get install --reinstall ${PACKAGE}`);
  return found;
}

/** The end of a log, for a person. */
function lastLines(file, count = 15) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n') : '(it is gone)';
}
