import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem, type ProblemCode } from '../../shared/problem.js';
import { parseInstant } from './instant.js';
import { ListQueryDto } from './list-query.dto.js';
import { cursorAfter, pageOf, readCursor } from './pagination.js';
import { StrictValidationPipe } from './validation.js';

async function query(given: Record<string, unknown>): Promise<ListQueryDto> {
  return await new StrictValidationPipe().transform(given, { type: 'query', metatype: ListQueryDto }) as ListQueryDto;
}

function codeOf(work: () => unknown): ProblemCode | null {
  try {
    work();
    return null;
  } catch (error) {
    return (error as Problem).code;
  }
}

describe('a list', () => {
  const rows = Array.from({ length: 5 }, (_, i) => ({ createdAt: new Date(5_000 - i), id: `ord_${i}` }));

  it('is read page by page to its end', async () => {
    const pages: string[][] = [];
    let cursor: string | null = null;
    do {
      const asked = await query({ limit: '2', ...(cursor === null ? {} : { cursor }) });
      const start = asked.pageStart();
      const rest = start === null ? rows : rows.filter(({ createdAt }) => createdAt < start.createdAt);
      const page = pageOf(rest.slice(0, asked.pageSize() + 1), asked.pageSize(), (row) => row, ({ id }) => id);
      pages.push(page.data);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(pages).toEqual([['ord_0', 'ord_1'], ['ord_2', 'ord_3'], ['ord_4']]);
  });

  it('has twenty on a page unless the client says, and a hundred at most', async () => {
    expect((await query({})).pageSize()).toBe(20);
    expect((await query({ limit: '100' })).pageSize()).toBe(100);
    for (const limit of ['0', '101', '-1', '2.5', 'ten', '1e1', '', ' 2', ['2', '3'], 2]) {
      await expect(query({ limit })).rejects.toMatchObject({ code: 'validation_failed', errors: [{ field: 'limit' }] });
    }
  });

  it('knows its own cursors again', () => {
    fc.assert(fc.property(fc.date({ min: new Date(0), max: new Date('2286-01-01'), noInvalidDate: true }), fc.stringMatching(/^[a-z]{3}_[0-9a-z]{26}$/), (createdAt, id) => {
      expect(readCursor(cursorAfter({ createdAt, id }))).toEqual({ createdAt, id });
    }));
  });

  it('refuses every other cursor', () => {
    const foreign = [
      'x', '', ...['1:a b', 'x:ord_1', '1:', ':ord_1', "1:' or 1=1", '99999999999999:a', '1:ord_1\n'].map((text) => Buffer.from(text).toString('base64url')),
      `${cursorAfter({ createdAt: new Date(1), id: 'ord_1' })}=`, `${cursorAfter({ createdAt: new Date(1), id: 'ord_1' })} `,
    ];
    for (const cursor of foreign) expect({ cursor, code: codeOf(() => readCursor(cursor)) }).toEqual({ cursor, code: 'invalid_cursor' });
  });
});

describe('an instant', () => {
  it.each([
    ['2026-01-28T10:00:00.1239-05:00', '2026-01-28T15:00:00.123Z'], ['2024-02-29t00:00:00z', '2024-02-29T00:00:00.000Z'], ['2026-01-28T10:00:00.5+00:00', '2026-01-28T10:00:00.500Z'],
    ['2026-12-31T23:59:59.999999999Z', '2026-12-31T23:59:59.999Z'], ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ])('%s is %s', (text, instant) => {
    expect(parseInstant(text)?.toISOString()).toBe(instant);
  });

  it.each([
    '2026-01-28', '2026-01-28T10:00:00', '2026-01-28T10:00Z', '2026-02-29T00:00:00Z', '1900-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-00-01T00:00:00Z', '2026-01-32T00:00:00Z', '2026-01-28T24:00:00Z',
    '2026-01-28T23:59:60Z', '2026-01-28 10:00:00Z', '2026-01-28T10:00:00+24:00', '1769612400', 'now', '', '2026-01-28T10:00:00.Z', '+002026-01-28T10:00:00Z',
  ])('%s is none', (text) => {
    expect(parseInstant(text)).toBeNull();
  });

  it('is what toISOString writes, for every time', () => {
    fc.assert(fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      expect(parseInstant(date.toISOString())).toEqual(date);
    }));
  });

  it('that is none is told by the name of its field', async () => {
    const asked = await query({ from: 'yesterday', to: '2026-01-28T10:00:00Z' });
    expect(codeOf(() => asked.instant(asked.from, 'from'))).toBe('validation_failed');
    expect(asked.instant(asked.to, 'to')).toEqual(new Date('2026-01-28T10:00:00Z'));
    expect(asked.instant(undefined, 'to')).toBeUndefined();
  });
});
