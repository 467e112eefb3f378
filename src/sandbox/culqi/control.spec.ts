import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RequestLog } from '../emulator/request-log.js';
import { type CulqiSandbox, startCulqiSandbox } from './culqi-sandbox.js';
import { type Seen, sendRaw } from './raw-client.js';
import { Shop } from './shop.js';

describe('the control API of the Culqi emulator', () => {
  let sandbox: CulqiSandbox;
  let shop: Shop;
  const control = (method: string, path: string, body?: unknown): Promise<Seen> => sendRaw(sandbox.url, { method, path: `/_control/${path}`, body });

  beforeAll(async () => {
    sandbox = await startCulqiSandbox();
    shop = new Shop(sandbox.url);
  });

  beforeEach(() => sandbox.reset());
  afterAll(() => sandbox.close());

  it('orders, shows and withdraws faults', async () => {
    expect(await control('POST', 'faults', { route: '*', kind: 'reset_after_booking', times: 3 })).toMatchObject({ status: 201, json: { times: 3 } });
    expect((await control('GET', 'faults')).json).toEqual({ faults: [{ route: '*', kind: 'reset_after_booking', times: 3 }] });
    expect((await shop.list()).failure).toBe('ECONNRESET');
    expect((await control('GET', 'faults')).json).toMatchObject({ faults: [{ times: 2 }] });
    await control('POST', 'faults', { route: '*', kind: 'delayed', merchant: 'shop_a' });
    expect((await control('GET', 'faults?merchant=shop_a')).json).toMatchObject({ faults: [{ kind: 'delayed' }] });
    expect((await control('DELETE', 'faults?merchant=shop_a')).json).toMatchObject({ faults: [{ times: 2 }] });
    await control('DELETE', 'faults');
    expect((await shop.list()).status).toBe(200);
  });

  it('shows the truth of one merchant, and what it asked', async () => {
    const other = new Shop(sandbox.url, 'tienda02');
    const { id } = await shop.paid();
    await other.charge({ source_id: await other.token('4000040000000008', '295') });
    expect((await control('GET', 'books?merchant=tienda02')).json).toMatchObject({
      tokens: 1,
      charges: [{ merchant: 'test_tienda02', approved: false }],
      requests: [{ method: 'POST', path: '/v2/tokens', merchant: 'test_tienda02', status: 201, fault: null }, { path: '/v2/charges', status: 402 }],
    });
    expect((await control('GET', 'books?merchant=test_tienda01')).json).toMatchObject({ tokens: 1, charges: [{ id, approved: true }] });
    expect((await control('GET', 'books')).json).toMatchObject({ tokens: 2, charges: [{ id }, {}] });
    expect((await control('GET', 'books?merchant=live_tienda01')).json).toMatchObject({ tokens: 0, charges: [], requests: [] });
  });

  it('changes only the settings that are named', async () => {
    const seen = await control('PUT', 'settings', { lookupLagMs: 5_000, limits: { USD: { min: 1, max: 2 } } });
    expect(seen.json).toMatchObject({ lookupLagMs: 5_000, tokenLifetimeMs: 300_000, limits: { PEN: { min: 300, max: 999_900 }, USD: { min: 1, max: 2 } } });
  });

  it('starts anew on reset', async () => {
    await shop.paid();
    await control('PUT', 'settings', { tokenLifetimeMs: 1 });
    await control('POST', 'faults', { route: '*', kind: 'delayed' });
    await control('POST', 'reset');
    expect((await control('GET', 'books')).json).toEqual({ tokens: 0, charges: [], refunds: [], customers: [], cards: [], requests: [] });
    expect((await control('GET', 'faults')).json).toEqual({ faults: [] });
    expect((await control('GET', 'settings')).json).toMatchObject({ tokenLifetimeMs: 300_000 });
  });

  it.each([
    ['POST', 'faults', { route: '*', kind: 'explode' }, 400], ['POST', 'faults', 'not json', 400], ['POST', 'faults', undefined, 400],
    ['PUT', 'settings', { lagMs: 1 }, 400], ['GET', 'nowhere', undefined, 404],
  ])('%s %s with %j is refused', async (method, path, body, status) => {
    expect(await control(method, path, body)).toMatchObject({ status, json: { message: expect.any(String) } });
  });

  it('keeps the last ten thousand requests only', () => {
    const log = new RequestLog();
    for (let at = 0; at < 25_000; at++) log.add({ at, method: 'GET', path: '/', query: '', merchant: null, status: 200, fault: null });
    expect(log.list()).toHaveLength(10_000);
    expect([log.list().at(0)?.at, log.list().at(-1)?.at]).toEqual([15_000, 24_999]);
  });
});
