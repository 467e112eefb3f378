import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type FaultOrder } from '../emulator/fault.js';
import { type CulqiSandbox, startCulqiSandbox } from './culqi-sandbox.js';
import { type Seen } from './raw-client.js';
import { idsOf, Shop } from './shop.js';

const ROUTE = 'POST /v2/charges';
type Case = [title: string, order: Omit<FaultOrder, 'route'>, booked: number, seen: Record<string, unknown>];

describe('a fault played on the wire', () => {
  let sandbox: CulqiSandbox;
  let shop: Shop;

  beforeAll(async () => {
    sandbox = await startCulqiSandbox();
    shop = new Shop(sandbox.url);
  });

  beforeEach(() => sandbox.reset());
  afterAll(() => sandbox.close());

  const cases: Case[] = [
    ['a hang before booking ends without an answer', { kind: 'hang_before_booking', delayMs: 50 }, 0, { status: null, failure: 'ECONNRESET' }],
    ['a hang after booking ends without an answer', { kind: 'hang_after_booking', delayMs: 50 }, 1, { status: null, failure: 'ECONNRESET' }],
    ['a reset before booking', { kind: 'reset_before_booking' }, 0, { status: null, failure: 'ECONNRESET' }],
    ['a reset after booking', { kind: 'reset_after_booking' }, 1, { status: null, failure: 'ECONNRESET' }],
    ['a Spring error before booking', { kind: 'error_before_booking' }, 0, { status: 500, json: { status: 500, error: 'Internal Server Error', path: '/v2/charges' } }],
    ['a gateway time-out after booking', { kind: 'error_after_booking', status: 504 }, 1, { status: 504, json: { message: 'Endpoint request timed out' } }],
    ['a bad gateway in HTML after booking', { kind: 'error_after_booking', status: 502 }, 1, { status: 502, json: undefined }],
    ['an API error before booking', { kind: 'error_before_booking', status: 503 }, 0, { status: 503, json: { object: 'error', type: 'api_error' } }],
    ['a rate limit with a time to wait', { kind: 'rate_limited', retryAfterSeconds: 7 }, 0,
      { status: 429, headers: { 'retry-after': '7' }, json: { type: 'limit_api_error' } }],
    ['a body of the right length that is cut JSON', { kind: 'truncated_body' }, 1, { status: 201, json: undefined, failure: null }],
    ['a body that breaks off', { kind: 'cut_body' }, 1, { status: 201, json: undefined, failure: 'cut' }],
    ['a wrong amount and attempt', { kind: 'wrong_answer', changes: { amount: 1, 'metadata.attempt_id': 'att_x' } }, 1,
      { status: 201, json: { amount: 1, metadata: { attempt_id: 'att_x', order: '7' } } }],
    ['a word nobody knows', { kind: 'unknown_word', changes: { outcomeType: 'venta_rara' } }, 1,
      { status: 201, json: { outcome: { type: 'venta_rara', code: 'AUT0000' } } }],
    ['a slow drip that ends', { kind: 'slow_drip', delayMs: 0 }, 1, { status: 201, json: { object: 'charge' } }],
    ['a late but true answer', { kind: 'delayed', delayMs: 50 }, 1, { status: 201, json: { amount: 2000 } }],
    ['a web page with status 200', { kind: 'html_body' }, 1, { status: 200, headers: { 'content-type': 'text/html' }, json: undefined }],
    ['an empty body', { kind: 'empty_body' }, 1, { status: 201, text: '', failure: null }],
    ['a redirect', { kind: 'redirect', changes: { location: 'http://127.0.0.1:1/x' } }, 0, { status: 302, headers: { location: 'http://127.0.0.1:1/x' } }],
  ];

  it.each(cases)('%s', async (_title, order, booked, expected) => {
    sandbox.faults.add({ route: ROUTE, ...order });
    const seen = await shop.charge({ metadata: { attempt_id: 'att_1', order: '7' } });
    expect(seen).toMatchObject(expected);
    expect(sandbox.books.charges()).toHaveLength(booked);
    // Whatever the wire says, the books are true.
    for (const charge of sandbox.books.charges()) expect(charge).toMatchObject({ amount: 2000, outcome: { type: 'venta_exitosa' }, metadata: { attempt_id: 'att_1' } });
    expect(sandbox.books.requests().at(-1)).toMatchObject({ method: 'POST', path: '/v2/charges', merchant: 'test_tienda01', fault: order.kind, status: expected['status'] });
    expect((await shop.charge()).status).toBe(201);
  });

  it('a rate limit may leave out how long to wait', async () => {
    sandbox.faults.add({ route: ROUTE, kind: 'rate_limited' });
    expect((await shop.charge()).headers['retry-after']).toBeUndefined();
  });

  it('a huge body has five megabytes and does not say so beforehand', async () => {
    sandbox.faults.add({ route: ROUTE, kind: 'huge_body' });
    const seen = await shop.charge();
    expect(seen.headers['content-length']).toBeUndefined();
    expect(seen.text.length).toBeGreaterThan(5 * 1024 * 1024);
    expect(seen.json).toMatchObject({ object: 'charge' });
  });

  it('a hang holds the line as long as the client bears it', async () => {
    sandbox.faults.add({ route: ROUTE, kind: 'hang_after_booking' });
    expect(await shop.charge({}, 100)).toMatchObject({ status: null, failure: 'client_gave_up' });
    expect(sandbox.books.charges()).toHaveLength(1);
  });

  it('a slow drip sends a byte at a time', async () => {
    sandbox.faults.add({ route: ROUTE, kind: 'slow_drip', delayMs: 20 });
    const seen = await shop.charge({}, 150);
    expect(seen).toMatchObject({ status: 201, failure: 'client_gave_up' });
    expect(seen.text.length).toBeLessThan(8);
  });

  it('a wrong list has every charge wrong', async () => {
    await shop.paid();
    await shop.paid();
    sandbox.faults.add({ route: 'GET /v2/charges', kind: 'wrong_answer', changes: { currency_code: 'USD' } });
    expect((await shop.list()).json).toMatchObject({ data: [{ currency_code: 'USD', amount: 2000 }, { currency_code: 'USD' }] });
  });

  it('faults wait in order, each for its route, its merchant and its number of times', async () => {
    sandbox.faults.add({ route: ROUTE, kind: 'error_before_booking', status: 503, times: 2 });
    sandbox.faults.add({ route: ROUTE, kind: 'rate_limited', merchant: 'tienda02' });
    sandbox.faults.add({ route: 'GET /v2/charges/:id', kind: 'error_before_booking', status: 504 });
    sandbox.faults.add({ route: '*', kind: 'html_body' });
    const statuses = async (sent: Promise<Seen>[]): Promise<(number | null)[]> => (await Promise.all(sent)).map(({ status }) => status);
    const source_id = 'tkn_test_0000000000000000';
    const other = new Shop(sandbox.url, 'tienda02');
    expect(await statuses([shop.get('/v2/charges/x')])).toEqual([504]);
    expect(await statuses([shop.charge({ source_id }), shop.charge({ source_id })])).toEqual([503, 503]);
    expect(await statuses([other.charge({ source_id })])).toEqual([429]);
    expect(await statuses([shop.list()])).toEqual([200]);
    expect(sandbox.faults.list()).toEqual([]);
    expect(idsOf(await shop.list())).toEqual([]);
  });

  it.each([
    [{ route: 'POST /v2/charge', kind: 'delayed' }], [{ route: '*', kind: 'explode' }], [{ route: '*', kind: 'redirect' }], [{ route: '*', kind: 'delayed', times: 0 }],
    [{ route: '*', kind: 'wrong_answer', changes: { '__proto__.x': 1 } }], [{ route: '*', kind: 'error_after_booking', status: 418 }],
  ])('refuses an order it would not play: %j', (order) => {
    expect(() => sandbox.faults.add(order as FaultOrder)).toThrow();
    expect(sandbox.faults.list()).toEqual([]);
  });

  it('a closed emulator leaves no connection hanging', async () => {
    const own = await startCulqiSandbox();
    own.faults.add({ route: '*', kind: 'hang_before_booking' });
    const hanging = new Shop(own.url).list();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await own.close();
    expect(await hanging).toMatchObject({ status: null, failure: 'ECONNRESET' });
  });
});
