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

/** The emulators, each a process of its own, with the variable of its port. */
const EMULATORS = { culqi: 'SANDBOX_PORT', pixelpay: 'SANDBOX_PIXELPAY_PORT', mercadopago: 'SANDBOX_MERCADOPAGO_PORT' };
/** How often an instance is asked whether it is ready, and how long its answer may take. */
const READY_EVERY_MS = 1_000;
const READY_WITHIN_MS = 3_000;
/** How often a process that ended by itself is started again. */
const RESTARTS_MAX = 30;

/** Starts everything. `dist`: the compiled tree to run. */
export async function startWorld({ home, dist, say }) {
  fs.mkdirSync(home, { recursive: true, mode: 0o700 });
  const secrets = { platformAdminKey: `pak_${randomText(24)}`, encryptionKey: Buffer.from(randomText(32)).toString('base64') };
  const database = await openDatabase(home, say);
  const emulatorPorts = Object.fromEntries(await Promise.all(Object.keys(EMULATORS).map(async (gateway) => [gateway, await freePort()])));
  const urls = Object.fromEntries(Object.entries(emulatorPorts).map(([gateway, port]) => [gateway, `http://127.0.0.1:${port}`]));
  const environment = {
    PATH: process.env.PATH, DATABASE_URL: database.url, PLATFORM_ADMIN_KEY: secrets.platformAdminKey, ENCRYPTION_KEYS: `k1:${secrets.encryptionKey}`, ...TIMES,
    CULQI_API_URL: urls.culqi, CULQI_SECURE_URL: urls.culqi, PIXELPAY_API_URL: urls.pixelpay, MERCADOPAGO_API_URL: urls.mercadopago,
  };
  const launch = (name, file, changes = {}) => {
    const output = fs.openSync(path.join(home, `${name}.log`), 'a', 0o600);
    const child = start(node(), ['--enable-source-maps', path.join(dist, 'src', file)], { cwd: ROOT, env: { ...environment, ...changes }, stdio: ['ignore', output, output] });
    fs.closeSync(output);
    return child;
  };
  const { code } = await launch('migrate', 'migrate.js').exited;
  if (code !== 0) throw new Trouble(`the migration failed: see ${home}/migrate.log`);
  const emulators = Object.fromEntries(Object.entries(EMULATORS).map(([gateway, variable]) => {
    const own = { SANDBOX_PORT: '0', SANDBOX_PIXELPAY_PORT: '0', SANDBOX_MERCADOPAGO_PORT: '0', [variable]: String(emulatorPorts[gateway]), SANDBOX_DATA_DIR: path.join(home, `sandbox-${gateway}`) };
    return [gateway, new Emulator(urls[gateway], () => launch(`sandbox-${gateway}`, 'sandbox/main.js', own))];
  }));
  await Promise.all(Object.values(emulators).map((emulator) => emulator.begin()));

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

  /** When anything of ours was struck: answers are late then, or do not come, and may. */
  const blows = [];
  /** Strikes, and tells from when to when. `service`: the instance that is asked; `worker`: one of both; `ms`: for how long. */
  const strike = async (blow, { service, worker, gateway, ms, whenDown }) => {
    const members_ = { service: members[`service${service}`], worker: members[`worker${worker}`] };
    const falls = {
      kill_service: () => members_.service.kill(), stop_service: () => members_.service.pause(ms), kill_worker: () => members_.worker.kill(), stop_worker: () => members_.worker.pause(ms),
      kill_sessions: () => timed(() => database.killSessions()), kill_database: () => database.kill(), restart_database: () => database.restart(), stop_emulator: () => emulators[gateway].stop(ms, whenDown),
    };
    if (blow === 'stop_emulator') return falls[blow]();
    const on = blow.endsWith('_service') ? `service${service}` : blow.endsWith('_worker') ? `worker${worker}` : 'database';
    const entry = { on, from: Date.now(), to: Infinity };
    blows.push(entry);
    try {
      const fell = await falls[blow]();
      if (blow === 'kill_service') await answers(`${services[service]}/health/ready`);
      return fell;
    } finally {
      entry.to = Date.now();
    }
  };
  /** Whether nothing was struck then, or just before; `of`: whose blows count, all of them unless said. */
  const wasQuiet = (from, to, of) => !blows.some(({ on, ...each }) => (of === undefined || of.includes(on)) && each.from <= to && each.to + 3_000 >= from);
  const world = { home, emulators, secrets, database, urls, services, members, strike, wasQuiet, readings: [] };
  for (const at of services.keys()) void watch(world, at);
  return world;
}

/** Asks an instance again and again, until the world ends, whether it is ready; noted is what came while neither it nor the database was struck. */
async function watch({ services, members, wasQuiet, readings }, at) {
  const name = `service${at}`;
  for (; !members[name].isOver; await sleep(READY_EVERY_MS)) {
    const from = Date.now();
    const said = await fetch(`${services[at]}/health/ready`, { signal: AbortSignal.timeout(READY_WITHIN_MS) }).then(async (response) => `${response.status} ${await response.text()}`, () => `no answer within ${READY_WITHIN_MS} ms`);
    if (wasQuiet(from, Date.now(), [name, 'database'])) readings.push({ name, said, isReady: said.startsWith('200') });
  }
}

/** Does it, and tells from when to when. */
async function timed(act) {
  const from = Date.now();
  await act();
  return { from, to: Date.now() };
}

/** One thing at a time. */
class InTurn {
  last = Promise.resolve();

  /** Does it when what came before is over; tells from when to when. */
  next(act) {
    const done = this.last.then(() => timed(act));
    this.last = done.catch(() => undefined);
    return done;
  }
}

/** A process that is killed and started again, or stopped for a while. */
class Member {
  isStruck = false;
  isOver = false;
  unasked = [];
  blows = new InTurn();

  constructor(name, launch) {
    this.name = name;
    this.launch = launch;
  }

  begin() {
    const child = this.launch();
    this.child = child;
    void child.exited.then(({ code, signal }) => {
      if (this.child !== child || this.isStruck || this.isOver) return;
      this.unasked.push(signal ?? `exit ${code}`);
      // As whatever looks after processes would.
      if (this.unasked.length <= RESTARTS_MAX) setTimeout(() => { if (this.child === child && !this.isStruck && !this.isOver) this.begin(); }, 200);
    });
  }

  /** As a power cut would; it is started again at once. Blows to one member wait for each other. */
  kill() {
    return this.struck(async () => {
      this.child.kill('SIGKILL');
      await this.child.exited;
      if (!this.isOver) this.begin();
    });
  }

  /** Stands still for a while, as when its machine is suspended. */
  pause(ms) {
    return this.struck(async () => {
      const { child } = this;
      child.kill('SIGSTOP');
      await sleep(ms);
      child.kill('SIGCONT');
    });
  }

  struck(blow) {
    return this.blows.next(async () => {
      this.isStruck = true;
      try {
        await blow();
      } finally {
        this.isStruck = false;
      }
    });
  }
}

/** An emulated PSP. Its books outlive its process; what it was told of faults, settings and webhooks does not, so it is told again. */
class Emulator {
  isUp = Promise.resolve();
  blows = new InTurn();
  /** How often it was started: faults of before are forgotten. */
  life = 0;
  settings = {};
  plans = new Map();
  /** Webhooks that were sent before its last start. */
  sentBefore = [];
  asking = 0;

  constructor(url, launch) {
    this.url = url;
    this.launch = launch;
  }

  async begin() {
    this.child = this.launch();
    await answers(`${this.url}/_control/settings`);
    this.life += 1;
    await this.tell('PUT', 'settings', this.settings);
    for (const [merchant, plan] of this.plans) await this.tell('PUT', 'webhooks', { merchant, ...plan, lost: 0 });
  }

  async change(settings) {
    this.settings = { ...this.settings, ...settings };
    await this.ask('PUT', 'settings', settings);
  }

  /** How the webhooks of a merchant go. */
  async plan(merchant, plan) {
    this.plans.set(merchant, plan);
    await this.ask('PUT', 'webhooks', { merchant, ...plan });
  }

  async sent() {
    return [...this.sentBefore, ...(await this.ask('GET', 'webhooks')).sent];
  }

  /** Asks it to do what a test may ask of it, when it is there. */
  ask(method, at, body) {
    return this.whenUp(() => this.tell(method, at, body));
  }

  /** Does what needs it; a stop waits until it is done. */
  async whenUp(act) {
    for (let up; up !== this.isUp;) await (up = this.isUp);
    this.asking += 1;
    try {
      return await act();
    } finally {
      this.asking -= 1;
    }
  }

  async tell(method, at, body) {
    const response = await fetch(`${this.url}/_control/${at}`, { method, headers: { 'content-type': 'application/json' }, ...(body ? { body: JSON.stringify(body) } : {}), signal: AbortSignal.timeout(20_000) });
    if (!response.ok) throw new Error(`${this.url} ${method} ${at}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Is gone for a while: connections are refused. `whenDown` is called as soon as it is. */
  stop(ms, whenDown = () => undefined) {
    return this.blows.next(async () => {
      let open;
      this.isUp = new Promise((resolve) => { open = resolve; });
      try {
        while (this.asking > 0) await sleep(5);
        this.sentBefore.push(...(await this.tell('GET', 'webhooks')).sent);
        this.child.kill('SIGKILL');
        await this.child.exited;
        whenDown();
        await sleep(ms);
        await this.begin();
      } finally {
        whenDown();
        open();
      }
    });
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
    const notOurs = () => Promise.reject(new Error('not ours'));
    return handleOf(mysql, url.href, options, { kill: notOurs, restart: notOurs, canKill: false, close: async () => { await admin.query(`drop database if exists ${name}`); await admin.end(); } });
  }
  const [user, password] = ['chaos', randomText(24)];
  const server = { home: path.join(home, 'mariadb'), throwAway: true, setUp: [`CREATE DATABASE IF NOT EXISTS ${SCHEMA} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`, `CREATE USER IF NOT EXISTS '${user}'@'127.0.0.1' IDENTIFIED BY '${password}'`, `GRANT ALL ON *.* TO '${user}'@'127.0.0.1'`] };
  let running = await startMariadb(server);
  const { port } = running;
  const url = `mariadb://${user}:${password}@127.0.0.1:${port}/${SCHEMA}`;
  const blows = new InTurn();
  const struck = (blow) => blows.next(async () => {
    await blow();
    running = await startMariadb({ ...server, port });
    if (running.port !== port) throw new Trouble('the database did not get its port back');
  });
  const kill = () => struck(async () => {
    process.kill(Number(fs.readFileSync(path.join(server.home, 'pid'), 'utf8')), 'SIGKILL');
    await sleep(300);
  });
  return handleOf(mysql, url, options, { kill, restart: () => struck(() => running.stop()), canKill: true, close: () => running.stop() });
}

function handleOf(mysql, url, options, { kill, restart, canKill, close }) {
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
  return { url, query, kill, restart, killSessions, canKill, close };
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
  for (const member of Object.values(world.members)) member.isOver = true;
  await Promise.all([...Object.values(world.members), ...Object.values(world.emulators)].map(({ child }) => stop(child, 5_000)));
  await world.database.close();
}
