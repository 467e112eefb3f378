// `npm run bench [-- --seconds N --concurrency 1,16,64 --rounds N --profile --out FILE]`: the service beside its floor.
// It fails on wrong answers and on books that differ, never on times.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { removeAtEnd, stopAll, whenNpmIsGone } from '../tools/processes.mjs';
import { ensureBuilt, ensureInstalled, ROOT } from '../tools/project.mjs';
import { explain, say, step, Trouble } from '../tools/say.mjs';
import { mismatches } from './books.mjs';
import { openServer } from './database.mjs';
import { residentMiB } from './measure/proc.mjs';
import { startLoad, startServer } from './programs.mjs';
import { report } from './report.mjs';
import { closedLoops } from './scenarios/closed-loop.mjs';
import { openLoop } from './scenarios/open-loop.mjs';
import { profile } from './scenarios/profile.mjs';
import { replay } from './scenarios/replay.mjs';
import { stalledPsp } from './scenarios/stalled.mjs';
import { startUp } from './scenarios/start-up.mjs';
import { startSides } from './sides.mjs';

const USAGE = 'usage: npm run bench [-- --seconds N --concurrency 1,16,64 --rounds N --profile --out FILE]';
const STUB_DELAY_MS = 20;
/** Of a run with nothing chosen: the last one is kept in the repository. */
const KEPT_IN = path.join('bench', 'results', 'latest.json');

process.chdir(ROOT);
let isEnding = false;
let database;

async function end(code, reason) {
  if (isEnding) return;
  isEnding = true;
  if (reason) say(`\n${reason}: stopping`);
  await Promise.race([database?.close().catch(() => undefined), new Promise((resolve) => { setTimeout(resolve, 5_000); })]);
  await stopAll(10_000);
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(130, signal));
process.stdout.on('error', () => void end(1));
whenNpmIsGone(() => void end(1, 'npm is gone'));

async function bench() {
  const settings = settingsOf(process.argv.slice(2));
  await ensureInstalled();
  await ensureBuilt();
  fs.mkdirSync('.data', { recursive: true, mode: 0o700 });
  const home = fs.mkdtempSync(path.join(ROOT, '.data', 'bench-')); // not in /tmp, which may be memory: commits are to reach a disk
  removeAtEnd(home);
  database = await step('starting the database', () => openServer({ home }));
  const stub = await startServer({
    name: 'stub', file: path.join('bench', 'stub-psp.mjs'), readyPath: '/books?key=none', env: { STUB_DELAY_MS: String(STUB_DELAY_MS) }, home,
  });
  const { startService, ...sides } = await step('starting the service and the floor', () => startSides({ database, stub, home }));
  const mistakes = [];
  const run = {
    database, stub, sides, startService, mistakes, stubDelayMs: STUB_DELAY_MS, load: startLoad(),
    note: (what, { bad, firstBad }) => { if (bad > 0) mistakes.push(`${what}: ${bad} answers were wrong, the first: ${firstBad}`); },
  };
  const [cpu] = os.cpus();
  const machine = { at: new Date().toISOString(), cpus: os.cpus().length, cpu: cpu.model.trim(), loadBefore: loadAverage(),
    database: database.describe };
  say(`  ${machine.cpus} × ${machine.cpu}, load ${machine.loadBefore}; ${JSON.stringify(database.describe)}`);

  if (settings.profile) {
    await sides.service.server.stop();
    report.profile(await profile(run, { concurrency: 16, seconds: settings.seconds * 2, home }));
    return verdict(run, await mismatches({ connection: database.connection, side: sides.service, made: sides.service.made }));
  }

  const results = { machine, closedLoops: await step('payments as fast as they go', () => closedLoops(run, settings)) };
  report.closedLoops(results.closedLoops);
  const steadily = { perSecond: 50, seconds: settings.seconds * 2, stubDelayMs: STUB_DELAY_MS };
  results.openLoop = await step('payments at a steady rate', () => openLoop(run, steadily));
  report.openLoop(results.openLoop);
  results.replay = await step('replays', () => replay(run, { concurrency: 16, seconds: settings.seconds }));
  report.replay(results.replay);
  results.loadedMiB = residentMiB(sides.service.server.pid);
  for (const side of [sides.service, sides.floor]) {
    mistakes.push(...await mismatches({ connection: database.connection, side, made: side.made }));
    await side.server.stop();
  }
  results.startUp = await step('starts of the service', () => startUp(run));
  report.startUp(results.startUp, results.loadedMiB);
  results.stalledPsp = await step('a PSP that stalls', () => stalledPsp(run, { creates: 200, readsPerSecond: 20 }));
  report.stalledPsp(results.stalledPsp);
  machine.loadAfter = loadAverage();
  keep(results, settings.out);
  return verdict(run, await mismatches({ connection: database.connection, side: sides.service, made: sides.service.made }));
}

function settingsOf(args) {
  const { values } = parseArgs({ args, options: {
    seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' }, concurrency: { type: 'string', default: '1,16,64' },
    profile: { type: 'boolean', default: false }, out: { type: 'string' },
  } });
  const number = (text) => {
    if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new Trouble(USAGE);
    return Number(text);
  };
  return {
    seconds: number(values.seconds), rounds: number(values.rounds), concurrencies: values.concurrency.split(',').map(number), profile: values.profile,
    out: values.out ?? (args.length === 0 ? KEPT_IN : undefined),
  };
}

function verdict({ mistakes, sides }, lastMistakes) {
  const wrong = [...mistakes, ...lastMistakes];
  const made = sides.service.made + sides.floor.made;
  say(wrong.length === 0 ? `\nAll ${made} payments were captured once, and rows and books agree.` : `\nWRONG:\n  ${wrong.join('\n  ')}`);
  return wrong.length === 0 ? 0 : 1;
}

function keep(results, file) {
  if (!file) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  say(`\nKept in ${file}`);
}

const loadAverage = () => os.loadavg().map((load) => Math.round(load * 100) / 100).join(' ');

bench().then((code) => end(code), (error) => {
  if (isEnding) return;
  explain(error);
  void end(1);
});
