import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Charge } from './charge.js';
import { type CulqiSandbox, startCulqiSandbox } from './culqi-sandbox.js';
import { idsOf, Shop } from './shop.js';

const START_MS = Date.UTC(2026, 10, 22, 12);
const CHARGES = 130;

interface Page {
  data: Charge[];
  paging: { previous: string | null; next: string | null; cursors: { before: string | null; after: string | null }; remaining_items: number };
}

describe('the list of charges', () => {
  let nowMs = START_MS;
  let sandbox: CulqiSandbox;
  let shop: Shop;
  /** Newest first. */
  const ids: string[] = [];

  beforeAll(async () => {
    sandbox = await startCulqiSandbox({ nowMs: () => nowMs });
    shop = new Shop(sandbox.url);
    for (let i = 0; i < CHARGES; i++) {
      nowMs = START_MS + i * 1000;
      const fields = { amount: 1000 + i, currency_code: i % 10 === 0 ? 'USD' : 'PEN', capture: i !== 7, email: i === 3 ? 'luis@ejemplo.pe' : 'ana@ejemplo.pe' };
      if (i === 5) await shop.charge({ ...fields, source_id: await shop.token('4000040000000008', '295') });
      else await shop.paid({ ...fields, antifraud_details: { first_name: 'Ana', phone_number: `90000${i}` } });
      ids.unshift(sandbox.books.charges().at(-1)!.id);
    }
  });

  afterAll(() => sandbox.close());

  it('gives the newest fifty when asked for nothing else', async () => {
    expect(idsOf(await shop.list())).toEqual(ids.slice(0, 50));
  });

  it('is paged by cursors, each charge once, until next is null', async () => {
    const collected: string[] = [];
    let after: string | null = null;
    do {
      const seen = await shop.list({ limit: 40, currency_code: 'PEN', ...(after !== null && { after }) });
      const page = seen.json as Page;
      collected.push(...idsOf(seen));
      after = page.paging.next === null ? null : page.paging.cursors.after;
    } while (after !== null);
    expect(collected).toEqual(ids.filter((_, place) => (CHARGES - 1 - place) % 10 !== 0));
  });

  it('has the recorded envelope: a previous even on the first page, and no object', async () => {
    const page = (await shop.list({ limit: 2 })).json as Page;
    expect(Object.keys(page)).toEqual(['data', 'paging']);
    expect(page.paging).toEqual({
      previous: `https://api.culqi.com/v2/charges?limit=2&before=${ids[0]}`, next: `https://api.culqi.com/v2/charges?limit=2&after=${ids[1]}`,
      cursors: { before: ids[0], after: ids[1] }, remaining_items: CHARGES - 2,
    });
  });

  it('has no next on its last page', async () => {
    expect((await shop.list({ limit: 10, max_amount: 1009 })).json).toMatchObject({ paging: { next: null, remaining_items: 0, cursors: { after: ids.at(-1) } } });
  });

  it('goes back with before, nearest first', async () => {
    expect(idsOf(await shop.list({ limit: 3, before: ids[10]! }))).toEqual(ids.slice(7, 10));
  });

  it('is empty with null cursors when nothing matches', async () => {
    expect((await shop.list({ email: 'nadie@ejemplo.pe' })).json)
      .toEqual({ data: [], paging: { previous: null, next: null, cursors: { before: null, after: null }, remaining_items: 0 } });
  });

  it.each([
    [{ creation_date_from: START_MS + 20_000, creation_date_to: START_MS + 22_000 }, [22, 21, 20]],
    [{ creation_date: START_MS + 9_000 }, [9]],
    [{ amount: 1033 }, [33]],
    [{ min_amount: 1002, max_amount: 1004 }, [4, 3, 2]],
    [{ currency_code: 'USD', max_amount: 1015 }, [10, 0]],
    [{ captured: 'false' }, [7, 5]],
    [{ email: 'luis@ejemplo.pe' }, [3]],
    [{ decline_code: 'insufficient_funds' }, [5]],
    [{ phone_number: '9000042' }, [42]],
    [{ bin: '400004' }, [5]],
    [{ card_brand: 'Visa', max_amount: 1001 }, [1, 0]],
    [{ min_fraud_score: 0, max_amount: 1006, min_amount: 1004 }, [6, 4]],
    [{ dispute: 'true' }, []],
    [{ 'metadata[attempt_id]': 'x', constructor: 'x', limit: 2 }, [129, 128]],
  ])('filters by %j', async (query, places) => {
    expect(idsOf(await shop.list(query))).toEqual(places.map((place) => ids[CHARGES - 1 - place]));
  });

  it.each([
    ['limit', { limit: 0 }], ['limit', { limit: 101 }], ['limit', { limit: 'x' }],
    ['before', { before: 'chr_a', after: 'chr_b' }], ['after', { after: 'chr_test_0000000000000000' }],
    ['creation_date_from', { creation_date_from: '2026-11-22' }], ['captured', { captured: 'yes' }],
  ])('refuses a wrong %s: %j', async (param, query) => {
    expect(await shop.list(query as Record<string, string | number>)).toMatchObject({ status: 422, json: { param } });
  });

  it('shows a charge only after the look-up lag, and so does the look-up by id', async () => {
    sandbox.settings.change({ lookupLagMs: 30_000 });
    const { id } = await shop.paid({ metadata: { attempt_id: 'att_lag' } });
    expect(idsOf(await shop.list({ limit: 100 }))).not.toContain(id);
    expect((await shop.get(`/v2/charges/${id}`)).status).toBe(404);
    expect(sandbox.books.charges().at(-1)).toMatchObject({ id, approved: true });
    nowMs += 30_000;
    expect(idsOf(await shop.list({ limit: 1 }))).toEqual([id]);
    expect((await shop.get(`/v2/charges/${id}`)).status).toBe(200);
  });
});
