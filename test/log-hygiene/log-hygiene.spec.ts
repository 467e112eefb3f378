import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { leaksIn } from './leaks.js';

/** A run that logged less than this did not capture its logs: then an empty finding says nothing. */
const LINES_MIN = 50;

const folder = process.env.LOG_CAPTURE_DIR ?? '';
const canaryFile = join(dirname(folder), 'canaries.txt');

function captured(): { where: string; line: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).flatMap((entry) =>
    readFileSync(join(entry.parentPath, entry.name), 'utf8').split('\n').filter((line) => line !== '')
      .map((line, index) => ({ where: `${entry.name}:${index + 1}`, line })));
}

function canaries(): string[] {
  return existsSync(canaryFile) ? [...new Set(readFileSync(canaryFile, 'utf8').split('\n').filter((line) => line.length >= 8))] : [];
}

describe('the logs of the whole test run', () => {
  it('were captured, and the tests named their secrets', () => {
    expect(captured().length).toBeGreaterThanOrEqual(LINES_MIN);
    expect(canaries().length).toBeGreaterThan(0);
  });

  it('hold no secret, no token and no card number in any line', () => {
    const known = canaries();
    const found = captured().flatMap(({ where, line }) => leaksIn(line, known).map((leak) => `${where}: ${leak}: ${messageOf(line)}`));
    expect(found.slice(0, 20)).toEqual([]);
  });
});

/** Enough to find the place; never the line itself, which would print the secret. */
function messageOf(line: string): string {
  const message = /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? '';
  return leaksIn(message, canaries()).length === 0 ? message.slice(0, 80) : '(in its message)';
}

describe('the search itself', () => {
  it.each([
    ['a key of Culqi', '{"h":"Bearer sk_test_Abc123def456"}'],
    ['a live public key', '{"publicKey":"pk_live_1"}'],
    ['a token', 'token tkn_test_q1w2e3r4t5 refused'],
    ['a key of ours', `{"key":"sk_${'a1B2'.repeat(8)}"}`],
    ['a card number', '{"msg":"card 4111111111111111"}'],
    ['a card number with blanks', '{"msg":"4111 1111 1111 1111."}'],
    ['a card number with hyphens', '5111-1111-1111-1118'],
    ['a canary', '{"env":"canary-value-1"}'],
  ])('finds %s', (_what, line) => {
    expect(leaksIn(line, ['canary-value-1'])).toHaveLength(1);
  });

  it.each([
    ['an amount and a time', '{"time":1764000000000,"amount":12900,"msg":"payment captured"}'],
    ['an id that is digits by chance', '{"id":"pay_4111111111111111"}'],
    ['a run that fails the Luhn check', '{"n":4111111111111112}'],
    ['a masked key', '{"key":"sk_…9f3a","publicKey":"pk_test_Abc123def456"}'],
  ])('lets %s pass', (_what, line) => {
    expect(leaksIn(line, ['canary-value-1'])).toEqual([]);
  });
});
