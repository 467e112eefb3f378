// `npm run up`: everything that a first payment needs, on a machine that has Node and nothing else. `-- --check` pays twice by itself and ends; `-- --demo` tells a story and ends.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { developmentDatabase } from './database.mjs';
import { demoTenant, listenToWebhooks, paymentCurl } from './demo.mjs';
import { ownerOf, takeLock } from './lock.mjs';
import { portOf } from './ports.mjs';
import { endLeftovers, stopAll, whenNpmIsGone } from './processes.mjs';
import { Programs } from './programs.mjs';
import { ensureBuilt, ensureInstalled, ROOT } from './project.mjs';
import { explain, say, step, Trouble } from './say.mjs';
import { remember, secretsOf } from './secrets.mjs';
import { tellStory } from './story.mjs';

const HOME = path.join(ROOT, '.data');
process.chdir(ROOT);

let endingSinceMs;
let isReady = false;
let freeLock;

/** Stops what was started, the newest first. A second signal does not wait: what still runs is then ended by the reaper. */
async function end(code, reason) {
  if (endingSinceMs) {
    if (reason && Date.now() - endingSinceMs > 1000) process.exit(1); // sooner it is the same signal: npm passes on what the terminal sent to all
    return;
  }
  endingSinceMs = Date.now();
  if (reason) say(`\n${reason}: stopping everything`);
  await stopAll();
  freeLock?.();
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(isReady ? 0 : 130, signal));
process.stdout.on('error', () => void end(1));
whenNpmIsGone(() => void end(1, 'npm is gone'));

/** Something that should have stayed is gone. */
function died(trouble) {
  if (endingSinceMs) return;
  explain(trouble);
  void end(1);
}

async function up() {
  const flags = process.argv.slice(2);
  if (flags.some((flag) => !['--check', '--demo'].includes(flag))) throw new Trouble('usage: npm run up [-- --check | --demo]');
  const lock = path.join(HOME, 'up.lock');
  freeLock = takeLock(lock);
  if (!freeLock) throw new Trouble(`npm run up is running already (pid ${ownerOf(lock).split(' ')[0]}): stop it with Ctrl-C there, or use it`);
  await endLeftovers(path.join(HOME, 'children.txt'));
  const [apiPort, sandboxPort] = [await portOf('PORT', 3000), await portOf('SANDBOX_PORT', 4010)];
  const pixelpayPort = await portOf('SANDBOX_PIXELPAY_PORT', sandboxPort + 1);
  const mercadopagoPort = await portOf('SANDBOX_MERCADOPAGO_PORT', sandboxPort + 2);
  if (new Set([apiPort, sandboxPort, pixelpayPort, mercadopagoPort]).size < 4) throw new Trouble('PORT, SANDBOX_PORT, SANDBOX_PIXELPAY_PORT and SANDBOX_MERCADOPAGO_PORT: give them different ports');
  const secrets = secretsOf(HOME);

  await ensureInstalled();
  await ensureBuilt();
  const database = await step('starting the database', () => developmentDatabase({ home: HOME, password: secrets.databasePassword, port: secrets.databasePort }));
  void database.died?.then(died);
  if (database.port) remember(HOME, { databasePort: database.port });
  say(`  ${database.name}`);

  const [apiUrl, sandboxUrl, pixelpayUrl, mercadopagoUrl] = [`http://localhost:${apiPort}`, ...[sandboxPort, pixelpayPort, mercadopagoPort].map((port) => `http://127.0.0.1:${port}`)]; // the emulators listen on this address alone
  const programs = new Programs(path.join(HOME, 'logs'), {
    DATABASE_URL: database.url, ...(database.migratorUrl ? { DATABASE_MIGRATOR_URL: database.migratorUrl } : {}), PORT: String(apiPort), SANDBOX_PORT: String(sandboxPort), SANDBOX_PIXELPAY_PORT: String(pixelpayPort), SANDBOX_MERCADOPAGO_PORT: String(mercadopagoPort), SANDBOX_DATA_DIR: path.join(HOME, 'sandbox'),
    PLATFORM_ADMIN_KEY: secrets.platformAdminKey, ENCRYPTION_KEYS: secrets.encryptionKeys, CULQI_API_URL: sandboxUrl, CULQI_SECURE_URL: sandboxUrl, PIXELPAY_API_URL: pixelpayUrl, MERCADOPAGO_API_URL: mercadopagoUrl,
    WORKER: 'off', DRAIN_MS: '0',
  }, died);
  await step('migrating', () => programs.run('migrate', 'migrate.js')).catch((error) => {
    const isItsDatabase = process.env.DATABASE_URL && error.message.includes('Cannot migrate');
    throw isItsDatabase ? new Trouble(`${error.message} (correct DATABASE_URL, or unset it and a private one is brought up)`) : error;
  });
  await step('starting the PSP emulators, the service and its worker', async () => {
    await programs.keepRunning('sandbox', 'sandbox/main.js', `${sandboxUrl}/_control/settings`);
    await programs.keepRunning('service', 'main.js', `${apiUrl}/health/ready`);
    await programs.keepRunning('worker', 'worker.js');
  });
  const demo = await demoTenant({ home: HOME, apiUrl, secrets });
  await listenToWebhooks({ apiUrl, emulators: { culqi: sandboxUrl, pixelpay: pixelpayUrl, mercadopago: mercadopagoUrl }, demo });
  isReady = true;
  if (flags.includes('--demo')) return tellStory({ apiUrl, sandboxUrl, pixelpayUrl, mercadopagoUrl, demo }).then(() => end(0));
  const curl = paymentCurl({ apiUrl, sandboxUrl, demo });
  say(`
SmartPay is up.
  API docs             ${apiUrl}/docs
  ready                ${apiUrl}/health/ready
  Culqi emulator       ${sandboxUrl} (its books: ${sandboxUrl}/_control/page)
  PixelPay emulator    ${pixelpayUrl} (its books: ${pixelpayUrl}/_control/page)
  MercadoPago emulator ${mercadopagoUrl} (its books: ${mercadopagoUrl}/_control/page)
  database             ${database.url.replace(/:[^:@/]*@/, ':…@')} (${database.name})
  client key           ${demo.clientKey}
  operator key         ${demo.operatorKey}
  platform admin key   ${secrets.platformAdminKey}
  tenant               ${demo.tenantId}
  logs                 .data/logs

A payment (paste it as often as you like):

${curl}
`);
  if (flags.includes('--check')) return check(curl);
  say('Ctrl-C stops everything.');
}

async function check(curl) {
  for (const time of ['first', 'second']) {
    const { stdout, stderr } = spawnSync('bash', ['-c', curl], { encoding: 'utf8', timeout: 60_000 });
    if (!/"status":\s*"captured"/.test(stdout)) throw new Trouble(`the ${time} payment was not captured: ${stdout}${stderr}`);
    say(`The ${time} payment was captured.`);
  }
  await end(0);
}

up().catch((error) => {
  if (endingSinceMs) return; // its cause was already said
  explain(error);
  void end(1);
});
