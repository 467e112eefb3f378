// `npm run chaos [-- --seed N --seeds N --payments N --minutes N --clients N --cells PATTERN --dist FOLDER --keep | --controls [NAME]]`: payments through all PSPs by clients that insist, while PSPs, processes
// and the database fail in every way that is known; then the PSPs' own books are compared with the API and the tables. Exit 0 only without a violation.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { allCells } from './chaos/cells.mjs';
import { brokenCopy, CONTROLS } from './chaos/controls.mjs';
import { collect, converge } from './chaos/collect.mjs';
import { INVARIANTS } from './chaos/invariants.mjs';
import { randomOf } from './chaos/random.mjs';
import { cellTable, everythingAbout, tally } from './chaos/report.mjs';
import { openShop } from './chaos/shop.mjs';
import { playStory } from './chaos/stories.mjs';
import { endWorld, startWorld } from './chaos/world.mjs';
import { removeAtEnd, stopAll, whenNpmIsGone } from './processes.mjs';
import { ensureBuilt, ensureInstalled, ROOT } from './project.mjs';
import { explain, say, step, Trouble } from './say.mjs';

const USAGE = 'usage: npm run chaos [-- --seed N --seeds N --payments N --minutes N --clients N --cells PATTERN --dist FOLDER --keep | --controls [--only NAME]]';

process.chdir(ROOT);
let isEnding = false;

async function end(code, reason) {
  if (isEnding) return;
  isEnding = true;
  if (reason) say(`\n${reason}: stopping`);
  await stopAll(5_000);
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(130, signal));
whenNpmIsGone(() => void end(1, 'npm is gone'));

function optionsOf(args) {
  const options = { seed: { type: 'string', default: '1' }, seeds: { type: 'string', default: '1' }, payments: { type: 'string', default: '300' }, minutes: { type: 'string', default: '3' }, clients: { type: 'string', default: '8' }, cells: { type: 'string', default: '' }, dist: { type: 'string' }, keep: { type: 'boolean', default: false }, controls: { type: 'boolean', default: false }, only: { type: 'string', default: '' } };
  let values;
  try {
    ({ values } = parseArgs({ args, options }));
  } catch {
    throw new Trouble(USAGE);
  }
  const numbers = Object.fromEntries(['seed', 'seeds', 'payments', 'minutes', 'clients'].map((name) => [name, Number(values[name])]));
  if (Object.values(numbers).some((number) => !(number > 0 && number <= 1_000_000))) throw new Trouble(USAGE);
  return { ...numbers, pattern: new RegExp(values.cells), dist: path.resolve(values.dist ?? 'dist'), keep: values.keep, controls: values.controls, only: values.only };
}

/** One seed, from an empty database to its verdict: what met a fault, and the invariants that are broken. */
async function run(seed, options) {
  const home = path.join(ROOT, '.data', `chaos-${process.pid}-${seed}`);
  if (!options.keep) removeAtEnd(home);
  const world = Object.assign(await startWorld({ home, dist: options.dist, say }), { canaries: [], forged: [], misused: [], answerMs: [], isOver: false });
  try {
    const shops = await openShops(world, seed, options.clients);
    const cells = allCells({ canStrikeServer: world.database.canKill }).filter(({ psp, operation, kind, where }) => options.pattern.test(`${psp} ${operation} ${kind} ${where}`));
    const played = await playAll(world, shops, cells, seed, options);
    const convergedMs = await converge(world, shops);
    const seen = await collect(world, shops, options.dist);
    const verdicts = Object.entries(INVARIANTS).map(([name, check]) => ({ name, violations: check(seen) }));
    await speak(seed, { played, seen, verdicts, convergedMs, cells: cells.length });
    return { played: played.filter(({ hasMet }) => hasMet), broken: verdicts.filter(({ violations }) => violations.length > 0).map(({ name }) => name) };
  } finally {
    world.isOver = true;
    await endWorld(world);
    if (!options.keep) fs.rmSync(home, { recursive: true, force: true });
  }
}

/** A merchant for each client. What PSPs do by themselves takes them seconds, and here less; what they book shows a little later: LOOKUP_LAG_MS is twice that. */
async function openShops(world, seed, clients) {
  const shops = [];
  for (let at = 0; at < clients; at += 1) shops.push(await openShop(world, randomOf(seed, 'shop', at, process.pid).text(12), { orders: at % 2 === 1 }));
  await shops[0].control('culqi', 'PUT', 'settings', { lookupLagMs: 100 });
  await shops[0].control('pixelpay', 'PUT', 'settings', { completeAfterMs: 400, refundAfterMs: 400, pendingForMs: 800, lookupLagMs: 100 });
  await shops[0].control('mercadopago', 'PUT', 'settings', { reviewAfterMs: 500, refundAfterMs: 400, lookupLagMs: 100 });
  return shops;
}

/** Every story, drawn by its number; a merchant plays one at a time. */
async function playAll(world, shops, cells, seed, { payments, minutes }) {
  const untilMs = Date.now() + minutes * 60_000;
  const played = [];
  let next = 0;
  await Promise.all(shops.map(async (shop) => {
    // Only a merchant whose account makes orders meets the cells of orders, and the other way round.
    const own = cells.filter(({ psp }) => (shop.orders ? psp !== 'mercadopago' : psp !== 'orders'));
    while (own.length > 0 && next < payments && Date.now() < untilMs && !world.isOver) {
      const story = next++;
      const random = randomOf(seed, 'story', story);
      const cell = random.one(own);
      const told = await playStory(shop, cell, random).catch((error) => {
        world.isOver = true;
        throw new Trouble(`seed ${seed}, story ${story} (${cell.psp} ${cell.operation} ${cell.kind}): ${error.message}`);
      });
      played.push({ ...cell, ...told });
    }
  }));
  await sleep(500);
  return played;
}

async function speak(seed, { played, seen, verdicts, convergedMs, cells }) {
  say(`\nSeed ${seed}: ${played.length} payments, ${played.filter(({ hasMet }) => hasMet).length} of which met what was drawn for them of ${cells} cells; calm after ${(convergedMs / 1_000).toFixed(1)} s.`);
  say(`  ended: ${tally(seen.payments.map(({ status }) => status))}`);
  say(`  tickets: ${tally(seen.tickets.map(({ kind, status }) => `${kind} (${status})`)) || 'none'}`);
  for (const { name, violations } of verdicts) say(`  ${violations.length === 0 ? 'holds   ' : 'VIOLATED'} ${name}${violations.length === 0 ? '' : ` (${violations.length})`}`);
  const [first] = verdicts.flatMap(({ name, violations }) => violations.map((violation) => ({ name, ...violation })));
  if (!first) return;
  say(`\n  The first: ${first.name}: ${first.paymentId ?? ''} ${first.what}`);
  const story = played.find(({ paymentId }) => paymentId === first.paymentId);
  if (story) say(`  its cell: ${story.psp} ${story.operation}, ${story.kind}, ${story.where}`);
  if (first.paymentId) say(await everythingAbout(first.paymentId, seen));
}

/** Runs every broken variant: each must be caught, by an invariant that it was made to break. */
async function runControls(options) {
  const rows = [];
  for (const control of CONTROLS.filter(({ name }) => name.includes(options.only))) {
    const folder = path.join(ROOT, '.data', `chaos-control-${process.pid}`);
    removeAtEnd(folder);
    const dist = brokenCopy(options.dist, control, folder);
    // A client that never got a final answer, or a service that does not even start, is a catch, too.
    const { broken } = await step(`without protection: ${control.name}`, () => run(options.seed, { ...options, payments: 60, minutes: 1, pattern: new RegExp(control.cells), dist }).catch((error) => ({ broken: [`no run (${error.message.slice(0, 120)})`] })));
    fs.rmSync(folder, { recursive: true, force: true });
    const isCaught = broken.some((name) => control.caughtBy.some((invariant) => name.startsWith(`${invariant} `)));
    rows.push({ name: control.name, isCaught, by: broken.map((name) => name.split(' ')[0]).join(', ') || 'nothing' });
  }
  say(`\n${rows.map(({ name, isCaught, by }) => `${isCaught ? 'caught    ' : 'NOT CAUGHT'} ${name.padEnd(36)} ${by}`).join('\n')}`);
  await end(rows.every(({ isCaught }) => isCaught) ? 0 : 1);
}

async function main() {
  const options = optionsOf(process.argv.slice(2));
  await ensureInstalled();
  if (options.dist === path.join(ROOT, 'dist')) await ensureBuilt();
  if (options.controls) return runControls(options);
  const played = [];
  const broken = new Set();
  for (let seed = options.seed; seed < options.seed + options.seeds; seed += 1) {
    const outcome = await step(`chaos with seed ${seed}`, () => run(seed, options));
    played.push(...outcome.played);
    for (const name of outcome.broken) broken.add(name);
  }
  say(`\n${cellTable(played)}\n`);
  const bound = played.length === 0 ? 1 : Math.min(1, 3 / played.length);
  say(broken.size === 0 ? `${played.length} payments with a fault each, no violation: with 95 % confidence fewer than ${(bound * 100).toFixed(3)} % of payments drawn like these break an invariant (3/n).` : `VIOLATED: ${[...broken].join('; ')}`);
  await end(broken.size === 0 ? 0 : 1);
}

main().catch(async (error) => {
  explain(error);
  await end(1);
});
