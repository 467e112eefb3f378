import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CULQI_ROUTES } from '../../src/sandbox/culqi/culqi-persona.js';
import { FAULT_KINDS } from '../../src/sandbox/emulator/fault.js';
import { MERCADOPAGO_ROUTES } from '../../src/sandbox/mercadopago/mercadopago-persona.js';
import { PIXELPAY_ROUTES } from '../../src/sandbox/pixelpay/pixelpay-persona.js';

const ROOT = join(import.meta.dirname, '../..');
/** What a module of the tools says, run by Node as they are. */
const said = <T>(code: string): T => JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: ROOT, encoding: 'utf8' })) as T;

type Cell = { psp: string; operation: string; kind: string; where: string; faults: { route: string; kind: string }[]; blow: string | null };
const cells = said<Cell[]>("import { allCells } from './tools/chaos/cells.mjs'; console.log(JSON.stringify(allCells({ canStrikeServer: true })))");

describe('the cells of chaos', () => {
  it('are every fault that an emulator knows, on routes that it has', () => {
    const routes = new Set([...CULQI_ROUTES, ...MERCADOPAGO_ROUTES, ...PIXELPAY_ROUTES]);
    expect([...new Set(cells.flatMap(({ faults }) => faults.map(({ route }) => route)))].filter((route) => !routes.has(route))).toEqual([]);
    // Culqi's unknown word is a wrong answer by another name.
    expect(new Set(cells.flatMap(({ faults }) => faults.map(({ kind }) => kind)))).toEqual(new Set(FAULT_KINDS.filter((kind) => kind !== 'unknown_word')));
  });

  it('are drawn alike for the same seed', () => {
    const draws = (seed: number) => said<number[]>(`import { randomOf } from './tools/chaos/random.mjs'; const random = randomOf(${seed}, 'story', 7); console.log(JSON.stringify(Array.from({ length: 50 }, () => random.whole(0, 1000))))`);
    expect(draws(1)).toEqual(draws(1));
    expect(draws(1)).not.toEqual(draws(2));
  });

  it('are all drawn in the long run', () => {
    const drawn = said<number>("import { randomOf } from './tools/chaos/random.mjs'; const seen = new Set(); for (let i = 0; i < 20000; i++) seen.add(randomOf(1, 'story', i).whole(0, 800)); console.log(seen.size)");
    expect(drawn).toBe(800);
  });
});

it('every broken variant of the service can be made, and says by which invariant it is caught (npm run chaos -- --controls)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-controls-'));
  const names = said<string[]>(`
    import { brokenCopy, CONTROLS } from './tools/chaos/controls.mjs';
    import { INVARIANTS } from './tools/chaos/invariants.mjs';
    const known = Object.keys(INVARIANTS).map((name) => name.split(' ')[0]);
    for (const control of CONTROLS) {
      brokenCopy('dist', control, '${folder}/' + control.name.replaceAll(' ', '-'));
      if (!control.caughtBy.every((name) => known.includes(name))) throw new Error(control.name);
    }
    console.log(JSON.stringify(CONTROLS.map(({ name }) => name)));`);
  rmSync(folder, { recursive: true });
  expect(names.length).toBeGreaterThanOrEqual(12);
});
