// The two that are compared: the compiled service and the floor. Same tables in a schema of their own, same merchant, same key, same PSP, same pool.
import crypto from 'node:crypto';
import path from 'node:path';
import { randomText } from '../tools/secrets.mjs';
import { makeMerchant, PAYMENT } from './merchant.mjs';
import { runProgram, startServer } from './programs.mjs';

const POOL = 20;
const MERCHANT_TABLES = ['tenants', 'api_keys', 'gateway_accounts'];

/** Makes both schemas, starts both servers, and gives both the same merchant. */
export async function startSides({ database, stub, home }) {
  const settings = { adminKey: `pak_${randomText(40)}`, encryptionKeys: `k1:${crypto.randomBytes(32).toString('base64')}` };
  const [service, floor] = await Promise.all(['service', 'floor'].map(async (name) => {
    const schema = await database.schema(name);
    const side = { name, schema, stubUrl: stub.url, secretKey: `sk_test_${name}${randomText(16)}`, made: 0 };
    await runProgram('dist/src/migrate.js', environmentOf(side, settings), home);
    return side;
  }));
  const startService = (changes = {}, nodeArgs = []) => startServer({
    name: 'service', file: 'dist/src/main.js', nodeArgs: ['--enable-source-maps', ...nodeArgs], readyPath: '/health/ready', home,
    env: { ...environmentOf(service, settings), ...changes },
  });
  service.server = await startService();
  const merchant = await makeMerchant({ url: service.server.url, adminKey: settings.adminKey, secretKey: service.secretKey });
  service.key = merchant.key;

  for (const table of MERCHANT_TABLES) {
    await database.connection.query(`insert into ${floor.schema.name}.${table} select * from ${service.schema.name}.${table}`);
  }
  floor.server = await startServer({
    name: 'floor', file: path.join('bench', 'floor', 'server.mjs'), readyPath: '/', home,
    env: { DATABASE_URL: floor.schema.url, DATABASE_POOL: String(POOL), CULQI_API_URL: stub.url, PSP_KEY: floor.secretKey, ACCOUNT_ID: 'gwa_floor' },
  });
  floor.key = merchant.key;
  return { service, floor, startService };
}

/** As in production, but for the limits of requests; jobs run in a process of their own there (`npm run start:worker`), so not in this one. */
function environmentOf({ schema, stubUrl }, { adminKey, encryptionKeys }) {
  return {
    DATABASE_URL: schema.url, DATABASE_POOL: String(POOL), PLATFORM_ADMIN_KEY: adminKey, ENCRYPTION_KEYS: encryptionKeys,
    CULQI_API_URL: stubUrl, CULQI_SECURE_URL: stubUrl, RATE_LIMIT_PER_MINUTE: '0', WORKER: 'off',
  };
}

/** The task of making payments at a side; `how` is the kind of load (load.mjs). */
export function paymentTask(side, how) {
  const expected = { status: 201, paymentStatus: 'captured' };
  return { ...how, ...expected, method: 'POST', url: `${side.server.url}/v1/payments`, key: side.key, body: JSON.stringify(PAYMENT) };
}

/** Runs a task of making payments and counts what it made. */
export async function pay(bench, side, how) {
  const seen = await bench.load.run(paymentTask(side, how));
  side.made += seen.good;
  bench.note(`${side.name}, ${how.kind}`, seen);
  return seen;
}
