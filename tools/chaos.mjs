// `npm run chaos`: payments through all PSPs by clients that insist, while PSPs, processes and the database fail in every way that is known; then the PSPs'
// own books are compared with the API and the tables. Exit 0 only without a violation.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { allCells, nameOf } from './chaos/cells.mjs';
import { brokenCopy, CONTROLS } from './chaos/controls.mjs';
import { collect, converge } from './chaos/collect.mjs';
import { INVARIANTS } from './chaos/invariants.mjs';
import { randomOf } from './chaos/random.mjs';
import { cellTable, everythingAbout, neverMet, tally } from './chaos/report.mjs';
import { openShop } from './chaos/shop.mjs';
import { drawStory, playStory } from './chaos/stories.mjs';
import { endWorld, startWorld } from './chaos/world.mjs';
import { removeAtEnd, stopAll, whenNpmIsGone } from './processes.mjs';
import { ensureBuilt, ensureInstalled, ROOT } from './project.mjs';
import { explain, say, step, Trouble } from './say.mjs';

const USAGE = `usage: npm run chaos [-- OPTIONS]
  --seed N        the first seed (1); the same seed draws the same stories
  --seeds N       how many seeds, one after the other (1)
  --payments N    stories of a seed, at most (300)
  --clients N     clients at once, each with two merchants (8)
  --minutes N     bounds a seed as a whole, from the start of its database to its verdict (4): no story begins in its last third, or its last 60 seconds if that
                  is less; what still runs after half of that is cut off and not counted; what is not calm at the end is a violation. Ending the processes comes
                  on top, a few seconds
  --cells PATTERN only cells whose name (culqi refund reset_after_booking call) the pattern fits
  --dist FOLDER   another compiled tree (dist)
  --keep          keeps logs and books in .data
  --controls      runs the broken variants of the service instead, each of which must be caught; --minutes bounds each
  --only PATTERN  only the variants whose name the pattern fits`;

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
  const options = { seed: { type: 'string', default: '1' }, seeds: { type: 'string', default: '1' }, payments: { type: 'string', default: '300' }, minutes: { type: 'string', default: '4' }, clients: { type: 'string', default: '8' }, cells: { type: 'string', default: '' }, dist: { type: 'string' }, keep: { type: 'boolean', default: false }, controls: { type: 'boolean', default: false }, only: { type: 'string', default: '' } };
  let values;
  try {
    ({ values } = parseArgs({ args, options }));
  } catch {
    throw new Trouble(USAGE);
  }
  const numbers = Object.fromEntries(['seed', 'seeds', 'payments', 'minutes', 'clients'].map((name) => [name, Number(values[name])]));
  if (Object.values(numbers).some((number) => !(number > 0 && number <= 1_000_000))) throw new Trouble(USAGE);
  return { ...numbers, pattern: new RegExp(values.cells), isWhole: values.cells === '', dist: path.resolve(values.dist ?? 'dist'), keep: values.keep, controls: values.controls, only: new RegExp(values.only), emulators: {} };
}

/** From this many payments over all cells on, an invariant that judged nothing is a violation, and so is a run in which most payments fail. */
const WHOLE_FROM = 100;

/** One seed, from an empty database to its verdict: what met a fault, and the invariants that are broken. */
async function run(seed, options, name = String(seed)) {
  const home = path.join(ROOT, '.data', `chaos-${process.pid}-${name}`);
  if (!options.keep) removeAtEnd(home);
  const beganMs = Date.now();
  const reserveMs = Math.min(60_000, options.minutes * 20_000);
  const ends = { beginMs: beganMs + options.minutes * 60_000 - reserveMs, playMs: beganMs + options.minutes * 60_000 - reserveMs / 2, calmMs: beganMs + options.minutes * 60_000 - reserveMs / 6 };
  const world = Object.assign(await startWorld({ home, dist: options.dist, say }), { canaries: [], forged: [], misused: [], waits: [], unanswered: [], unreadable: [], effects: [], isOver: false });
  try {
    const clients = await openShops(world, seed, options);
    const shops = clients.flatMap(({ payments, orders }) => [payments, orders]);
    const cells = allCells({ canStrikeServer: world.database.canKill }).filter((cell) => options.pattern.test(nameOf(cell)));
    if (cells.length === 0) throw new Trouble('no cell fits the pattern');
    const played = await playAll(world, clients, cells, seed, options, ends);
    const convergedMs = await converge(world, shops, played, ends.calmMs);
    const isWhole = options.isWhole && played.length >= WHOLE_FROM;
    const seen = { ...await collect(world, shops, played), isWhole };
    const verdicts = Object.entries(INVARIANTS).map(([invariant, check]) => ({ name: invariant, ...check(seen) }));
    for (const verdict of verdicts) if (isWhole && verdict.judged === 0) verdict.violations.push({ what: 'judged nothing' });
    await speak(seed, { played, seen, verdicts, convergedMs, cells: cells.length });
    return { cells, played: played.filter(({ hasMet }) => hasMet), broken: verdicts.filter(({ violations }) => violations.length > 0).map(({ name: invariant }) => invariant) };
  } finally {
    world.isOver = true;
    await endWorld(world);
    if (!options.keep) fs.rmSync(home, { recursive: true, force: true });
  }
}

/**
 * For each client two merchants, one of whose MercadoPago account makes orders. What PSPs do by themselves takes them seconds, and here less; what they book
 * shows a little later: LOOKUP_LAG_MS is twice that.
 */
async function openShops(world, seed, { clients, emulators }) {
  const settings = {
    culqi: { lookupLagMs: 100 }, pixelpay: { completeAfterMs: 400, refundAfterMs: 400, pendingForMs: 800, lookupLagMs: 100 }, mercadopago: { reviewAfterMs: 500, refundAfterMs: 400, lookupLagMs: 100 },
  };
  for (const [gateway, emulator] of Object.entries(world.emulators)) await emulator.change({ ...settings[gateway], ...emulators[gateway] });
  const suffix = (at, kind) => randomOf(seed, 'shop', at, kind, process.pid).text(12);
  const shops = [];
  for (let at = 0; at < clients; at += 1) shops.push({ payments: await openShop(world, suffix(at, 'payments'), { orders: false }), orders: await openShop(world, suffix(at, 'orders'), { orders: true }) });
  return shops;
}

/** Every story, drawn by its number from all cells, whoever plays it; a client plays one at a time. */
async function playAll(world, clients, cells, seed, { payments }, { beginMs, playMs }) {
  const played = [];
  let next = 0;
  const cutOff = setTimeout(() => { world.isOver = true; }, Math.max(0, playMs - Date.now()));
  await Promise.all(clients.map(async (client) => {
    while (next < payments && Date.now() < beginMs && !world.isOver) {
      const story = next++;
      const random = randomOf(seed, 'story', story);
      const cell = random.one(cells);
      const drawn = drawStory(cell, random);
      const told = await playStory(cell.psp === 'orders' ? client.orders : client.payments, cell, drawn, randomOf(seed, 'retries', story)).catch((error) => {
        world.isOver = true;
        throw new Trouble(`seed ${seed}, story ${story} (${nameOf(cell)}): ${error.stack}`);
      });
      played.push({ ...cell, ...told, drawn, story });
    }
  }));
  clearTimeout(cutOff);
  world.isOver = false;
  await sleep(500);
  return played;
}

/** Violations of each invariant that are told of. */
const TOLD_MAX = 4;

async function speak(seed, { played, seen, verdicts, convergedMs, cells }) {
  say(`\nSeed ${seed}: ${played.length} payments, ${played.filter(({ hasMet }) => hasMet).length} of which met what was drawn for them of ${cells} cells; calm after ${(convergedMs / 1_000).toFixed(1)} s.`);
  say(`  ended: ${tally(seen.payments.map(({ status }) => status))}`);
  say(`  tickets: ${tally(seen.tickets.map(({ kind, status }) => `${kind} (${status})`)) || 'none'}`);
  for (const { name, judged, violations } of verdicts) {
    say(`  ${violations.length === 0 ? 'holds   ' : 'VIOLATED'} ${name} (${judged}${violations.length === 0 ? '' : `; violations: ${violations.length}`})`);
    for (const { paymentId, what } of violations.slice(0, TOLD_MAX)) say(`             ${paymentId ?? ''} ${what.slice(0, 300)}`);
  }
  const all = verdicts.flatMap(({ name, violations }) => violations.map((violation) => ({ name, ...violation })));
  const first = all.find(({ paymentId }) => seen.byId.has(paymentId)) ?? all[0];
  if (!first) return;
  say(`\n  The first${first === all[0] ? '' : ' of a known payment'}: ${first.name}: ${first.paymentId ?? ''} ${first.what}`);
  const story = played.find(({ paymentId }) => paymentId && paymentId === first.paymentId);
  if (story) say(`  its story: ${story.story}, ${nameOf(story)}${story.hasMet ? '' : ' (not met)'}; drawn ${JSON.stringify(story.drawn)}`);
  if (first.paymentId) say(await everythingAbout(first.paymentId, seen));
}

/** Runs every broken variant: each must be caught by the invariants that it was made to break. */
async function runControls(options) {
  const wanted = CONTROLS.filter(({ name }) => options.only.test(name));
  if (wanted.length === 0) throw new Trouble(`no control fits the pattern; there are: ${CONTROLS.map(({ name }) => name).join('; ')}`);
  const rows = [];
  for (const [at, control] of wanted.entries()) {
    const folder = path.join(ROOT, '.data', `chaos-control-${process.pid}-${at}`);
    removeAtEnd(folder);
    const dist = brokenCopy(options.dist, control, folder);
    const { payments = 60, clients = options.clients, emulators = {} } = control;
    const own = { ...options, payments, clients, emulators, minutes: Math.min(options.minutes, 2), pattern: new RegExp(control.cells), isWhole: false, dist };
    const { broken } = await step(`without protection: ${control.name}`, () => run(options.seed, own, `control-${at}`).catch((error) => ({ broken: [`no run (${error.message.slice(0, 300)})`] })));
    fs.rmSync(folder, { recursive: true, force: true });
    const isCaught = control.caughtBy.every((invariant) => broken.some((name) => name.startsWith(`${invariant} `)));
    rows.push({ name: control.name, isCaught, by: [...new Set(broken.map((name) => (name.startsWith('no run') ? name : name.split(' ')[0])))].join(', ') || 'nothing' });
  }
  say(`\n${rows.map(({ name, isCaught, by }) => `${isCaught ? 'caught    ' : 'NOT CAUGHT'} ${name.padEnd(44)} ${by}`).join('\n')}`);
  await end(rows.every(({ isCaught }) => isCaught) ? 0 : 1);
}

async function main() {
  const options = optionsOf(process.argv.slice(2));
  await ensureInstalled();
  if (options.dist === path.join(ROOT, 'dist')) await ensureBuilt();
  if (options.controls) return runControls(options);
  const played = [];
  const broken = new Set();
  let cells = [];
  for (let seed = options.seed; seed < options.seed + options.seeds; seed += 1) {
    const outcome = await step(`chaos with seed ${seed}`, () => run(seed, options));
    cells = outcome.cells;
    played.push(...outcome.played);
    for (const name of outcome.broken) broken.add(name);
  }
  say(`\n${cellTable(played)}\n${neverMet(cells, played)}\n`);
  const bound = played.length === 0 ? 1 : Math.min(1, 3 / played.length);
  say(broken.size === 0 ? `${played.length} payments with a fault each, no violation: with 95 % confidence fewer than ${(bound * 100).toFixed(3)} % of payments drawn like these break an invariant (3/n).` : `VIOLATED: ${[...broken].join('; ')}`);
  await end(broken.size === 0 ? 0 : 1);
}

main().catch(async (error) => {
  explain(error);
  await end(1);
});
