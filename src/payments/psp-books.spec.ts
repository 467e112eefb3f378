import { describe, expect, it } from '@jest/globals';
import type { LookUpResult } from './gateway-caller.js';
import type { Attempt } from './payment.js';
import { askEach } from './psp-books.js';

const attempts = Array.from({ length: 12 }, (_, at) => ({ id: `att_${at}` }) as Attempt);
const SILENT: LookUpResult = { kind: 'no_answer', detail: 'time_out' };

/** Asks for 1 000 ms where each round of answers takes `roundMs`. */
async function asked(roundMs: number, answer: (attempt: Attempt) => LookUpResult): Promise<{ result: Awaited<ReturnType<typeof askEach>>; ids: string[] }> {
  const ids: string[] = [];
  let nowMs = 0;
  const result = await askEach(attempts, async (attempt) => {
    ids.push(attempt.id);
    const endsMs = nowMs + roundMs;
    await Promise.resolve();
    nowMs = endsMs;
    return answer(attempt);
  }, 1_000, { monotonicMs: () => nowMs });
  return { result, ids };
}

describe('asking about payments one by one', () => {
  it('asks about each', async () => {
    const { result, ids } = await asked(100, () => ({ kind: 'absent' }));
    expect({ result, ids }).toEqual({ result: [], ids: attempts.map(({ id }) => id) });
  });

  it('calls them too many when there is no time left for some', async () => {
    const { result, ids } = await asked(600, () => ({ kind: 'absent' }));
    expect({ result, asked: ids.length }).toEqual({ result: 'too_many', asked: 10 });
  });

  it('is not answered when none of those who were asked about is', async () => {
    expect((await asked(600, () => SILENT)).result).toBe('no_answer');
    expect((await asked(100, ({ id }) => (id === 'att_3' ? { kind: 'absent' } : SILENT))).result).toEqual([]);
  });
});
