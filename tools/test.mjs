// `npm test [-- jest arguments]`: all tests on a database of their own; then, unless only a part ran, a look through every log line of the run.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { testDatabase } from './database.mjs';
import { ensureProgram } from './debian.mjs';
import { removeAtEnd, start, stopAll, whenNpmIsGone } from './processes.mjs';
import { ensureBuilt, ensureInstalled, node, ROOT } from './project.mjs';
import { explain, say, step, Trouble } from './say.mjs';

const LOG_HYGIENE = 'test/log-hygiene/jest.config.js';
/** Arguments that leave the choice of the tests alone. */
const CHOOSES_NOTHING = /^(-i|--(runInBand|verbose|silent|ci|colors|no-cache|coverage|maxWorkers=.*|testTimeout=.*|detectOpenHandles|forceExit|randomize|seed=.*))$/;

const args = process.argv.slice(2);
process.chdir(ROOT);
let isEnding = false;

async function end(code, reason) {
  if (isEnding) return;
  isEnding = true;
  if (reason) say(`\n${reason}: stopping`);
  await stopAll(10_000);
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(130, signal));
process.stdout.on('error', () => void end(1));
whenNpmIsGone(() => void end(1, 'npm is gone'));

async function test() {
  await ensureInstalled();
  await ensureBuilt(); // the crash tests start dist/src/main.js
  // The tests of shared rate limits start and stop a Redis. Debian's redis-tools holds the same program and, unlike redis-server, starts no service.
  await ensureProgram('redis-check-rdb', 'redis-tools', 'install Redis');
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'smartpay-test-'));
  removeAtEnd(home);
  const logs = path.join(home, 'logs');
  fs.mkdirSync(logs);
  const database = await step('starting the test database', () => testDatabase({ home }));
  say(`  ${database.name}`);
  const env = { ...process.env, DATABASE_URL: database.url, LOG_CAPTURE_DIR: logs };

  const counts = [await jest(args, path.join(home, 'main.json'), env)];
  if (args.every((arg) => CHOOSES_NOTHING.test(arg))) {
    say('\nLooking for secrets and card data in the logs of this run …');
    counts.push(await jest(['--config', LOG_HYGIENE], path.join(home, 'log-hygiene.json'), env));
  } else {
    say('\nOnly a part of the tests ran: its logs were not searched for secrets.');
  }
  const total = counts.reduce((sum, each) => ({ passed: sum.passed + each.passed, failed: sum.failed + each.failed }));
  if (process.env.TEST_COUNTS) fs.writeFileSync(process.env.TEST_COUNTS, JSON.stringify(total)); // for .ci/run
  say(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

/** One run of jest, as counts. A suite that cannot even load counts as failed, and so does a run that failed without a failing test. */
async function jest(jestArgs, resultsFile, env) {
  const { code } = await start(node(), [
    '--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js',
    ...(jestArgs.some((arg) => /^(-i|-w|--runInBand|--maxWorkers)/.test(arg)) ? [] : ['--maxWorkers=2']), '--json', `--outputFile=${resultsFile}`, ...jestArgs,
  ], { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] }).exited;
  if (isEnding) throw new Trouble('stopped'); // said already
  const results = fs.existsSync(resultsFile) ? JSON.parse(fs.readFileSync(resultsFile, 'utf8')) : {};
  const failed = (results.numFailedTests ?? 0) + (results.numRuntimeErrorTestSuites ?? 0);
  return { passed: results.numPassedTests ?? 0, failed: code === 0 ? failed : Math.max(failed, 1) };
}

test().then((code) => end(code), (error) => {
  if (isEnding) return;
  explain(error);
  void end(1);
});
