// The world of a run: a private database, two instances of the service, two workers and the emulators, each a process of its own; and the blows to them.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMariadb } from '../mariadb.mjs';
import { freePort } from '../ports.mjs';
import { start, stop } from '../processes.mjs';
import { node, ROOT } from '../project.mjs';
import { Trouble } from '../say.mjs';
import { randomText } from '../secrets.mjs';

/** Short, so that minutes hold a payment's whole life; what is long in life is long beside the others here too. */
const TIMES = {
  GATEWAY_TIMEOUT_MS: '600', REQUEST_DEADLINE_MS: '2500', IDEMPOTENCY_LEASE_MS: '1500', LOOKUP_LAG_MS: '200', ABSENCE_AFTER_MS: '400', RESOLVE_SCHEDULE: '200ms,400ms,800ms,1500ms,3s,5s,8s', JOB_POLL_MS: '50',
  JOB_LEASE_MS: '2500', SHUTDOWN_MS: '3000', DRAIN_MS: '0', RATE_LIMIT_PER_MINUTE: '0', LOG_LEVEL: 'info',
};
/** A request that no blow hit is answered within this (design/api.md: at latest 2 s after its deadline). */
export const ANSWER_WITHIN_MS = 4_500;

const SCHEMA = 'chaos';

/** Starts everything. `dist`: the compiled tree to run. */
export async function startWorld({ home, dist, say }) {
  fs.mkdirSync(home, { recursive: true, mode: 0o700 });
  const secrets = { platformAdminKey: `pak_${randomText(24)}`, encryptionKey: Buffer.from(randomText(32)).toString('base64') };
  const database = await openDatabase(home, say);
  const [sandboxPort, pixelpayPort, mercadopagoPort] = [await freePort(), await freePort(), await freePort()];
  const urls = { culqi: `http://127.0.0.1:${sandboxPort}`, pixelpay: `http://127.0.0.1:${pixelpayPort}`, mercadopago: `http://127.0.0.1:${mercadopagoPort}` };
  const environment = {
    PATH: process.env.PATH, DATABASE_URL: database.url, PLATFORM_ADMIN_KEY: secrets.platformAdminKey, ENCRYPTION_KEYS: `k1:${secrets.encryptionKey}`, ...TIMES,
    CULQI_API_URL: urls.culqi, CULQI_SECURE_URL: urls.culqi, PIXELPAY_API_URL: urls.pixelpay, MERCADOPAGO_API_URL: urls.mercadopago,
    SANDBOX_PORT: String(sandboxPort), SANDBOX_PIXELPAY_PORT: String(pixelpayPort), SANDBOX_MERCADOPAGO_PORT: String(mercadopagoPort), SANDBOX_DATA_DIR: path.join(home, 'sandbox'),
  };
  const launch = (name, file, changes = {}) => {
    const output = fs.openSync(path.join(home, `${name}.log`), 'a', 0o600);
    const child = start(node(), ['--enable-source-maps', path.join(dist, 'src', file)], { cwd: ROOT, env: { ...environment, ...changes }, stdio: ['ignore', output, output] });
    fs.closeSync(output);
    return child;
  };
  const { code } = await launch('migrate', 'migrate.js').exited;
  if (code !== 0) throw new Trouble(`the migration failed: see ${home}/migrate.log`);
  const sandbox = launch('sandbox', 'sandbox/main.js');
  for (const url of Object.values(urls)) await answers(`${url}/_control/settings`);

  const ports = [await freePort(), await freePort()];
  const members = {
    service0: new Member('service0', () => launch('service0', 'main.js', { PORT: String(ports[0]), WORKER: 'off' })),
    service1: new Member('service1', () => launch('service1', 'main.js', { PORT: String(ports[1]), WORKER: 'off' })),
    worker0: new Member('worker0', () => launch('worker0', 'worker.js')),
    worker1: new Member('worker1', () => launch('worker1', 'worker.js')),
  };
  for (const member of Object.values(members)) member.begin();
  const services = ports.map((port) => `http://127.0.0.1:${port}`);
  for (const url of services) await answers(`${url}/health/ready`);

  /** When anything of ours was struck: answers are late then, and may be. */
  const blows = [];
  const strike = async (blow, ms) => {
    const beganMs = Date.now();
    const [what, whom] = blow.split('_');
    const member = members[`${whom}${ms % 2}`];
    if (blow === 'kill_database') await database.kill();
    else if (blow === 'kill_sessions') await database.killSessions();
    else if (what === 'kill') await member.kill();
    else await member.pause(ms);
    if (whom === 'service' && what === 'kill') await answers(`${services[ms % 2]}/health/ready`);
    blows.push({ blow, from: beganMs, to: Date.now() });
  };
  return { home, sandbox, secrets, database, urls, services, members, strike, blows, wasQuiet: (from, to) => !blows.some((each) => each.from <= to && each.to + 3_000 >= from) && !isStruck(members, database) };
}

function isStruck(members, database) {
  return database.isStruck() || Object.values(members).some((member) => member.isStruck);
}

/** A process that is killed and started again, or stopped for a while. */
class Member {
  isStruck = false;
  unasked = [];

  constructor(name, launch) {
    this.name = name;
    this.launch = launch;
  }

  begin() {
    const child = this.launch();
    this.child = child;
    void child.exited.then(({ code, signal }) => { if (this.child === child && !this.isStruck) this.unasked.push(signal ?? `exit ${code}`); });
  }

  /** As a power cut would; it is started again at once. Blows to one member wait for each other. */
  kill() {
    return this.struck(async () => {
      this.child.kill('SIGKILL');
      await this.child.exited;
      this.begin();
    });
  }

  /** Stands still for a while, as when its machine is suspended. */
  pause(ms) {
    return this.struck(async () => {
      this.child.kill('SIGSTOP');
      await sleep(ms);
      this.child.kill('SIGCONT');
    });
  }

  struck(blow) {
    const last = this.last ?? Promise.resolve();
    this.last = last.then(async () => {
      this.isStruck = true;
      await blow();
      this.isStruck = false;
    });
    return this.last;
  }
}

/** DATABASE_URL's server with a schema of its own, which is not killed; else a private MariaDB, which is. */
async function openDatabase(home, say) {
  const { default: mysql } = await import('mysql2/promise'); // after `npm ci`
  const options = { multipleStatements: false, timezone: 'Z', supportBigNumbers: true };
  const given = process.env.DATABASE_URL;
  if (given) {
    const url = new URL(given);
    const name = `chaos_${process.pid}`;
    const admin = await mysql.createConnection({ uri: given.replace(/^mariadb:/, 'mysql:').replace(/\/[^/]*$/, '/'), ...options });
    await admin.query(`create database ${name} character set utf8mb4 collate utf8mb4_bin`);
    url.pathname = `/${name}`;
    say('  the server of DATABASE_URL is not ours: it is not killed');
    return handleOf(mysql, url.href, options, { kill: () => Promise.reject(new Error('not ours')), canKill: false, close: async () => { await admin.query(`drop database if exists ${name}`); await admin.end(); } });
  }
  const [user, password] = ['chaos', randomText(24)];
  const server = { home: path.join(home, 'mariadb'), throwAway: true, setUp: [`CREATE DATABASE IF NOT EXISTS ${SCHEMA} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`, `CREATE USER IF NOT EXISTS '${user}'@'127.0.0.1' IDENTIFIED BY '${password}'`, `GRANT ALL ON *.* TO '${user}'@'127.0.0.1'`] };
  let running = await startMariadb(server);
  const { port } = running;
  const url = `mariadb://${user}:${password}@127.0.0.1:${port}/${SCHEMA}`;
  let last = Promise.resolve();
  const state = { isStruck: false };
  const kill = () => {
    last = last.then(async () => {
      state.isStruck = true;
      process.kill(Number(fs.readFileSync(path.join(server.home, 'pid'), 'utf8')), 'SIGKILL');
      await sleep(300);
      running = await startMariadb({ ...server, port });
      if (running.port !== port) throw new Trouble('the database did not get its port back');
      state.isStruck = false;
    });
    return last;
  };
  return handleOf(mysql, url, options, { kill, canKill: true, isStruck: () => state.isStruck, close: () => running.stop() });
}

function handleOf(mysql, url, options, { kill, canKill, isStruck = () => false, close }) {
  /** On a connection of its own each time: the server may have been killed since. */
  const query = async (statement, values = []) => {
    const connection = await mysql.createConnection({ uri: url.replace(/^mariadb:/, 'mysql:'), ...options });
    try {
      return (await connection.query(statement, values))[0];
    } finally {
      await connection.end();
    }
  };
  const killSessions = async () => {
    const schema = new URL(url).pathname.slice(1);
    for (const { id } of await query('select id from information_schema.processlist where db = ? and id <> connection_id()', [schema]).catch(() => [])) await query(`kill ${Number(id)}`).catch(() => undefined);
  };
  return { url, query, kill, killSessions, canKill, isStruck, close };
}

async function answers(url) {
  for (const endMs = Date.now() + 30_000; Date.now() < endMs; await sleep(50)) {
    const isThere = await fetch(url, { signal: AbortSignal.timeout(3_000) }).then(async (response) => { await response.body?.cancel(); return response.status === 200; }, () => false);
    if (isThere) return;
  }
  throw new Trouble(`${url} does not answer`);
}

/** Stops a world that is over. */
export async function endWorld(world) {
  for (const child of [...Object.values(world.members).map((member) => member.child), world.sandbox]) await stop(child, 5_000);
  await world.database.close();
}
