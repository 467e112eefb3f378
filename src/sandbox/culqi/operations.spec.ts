import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CulqiSandbox, startCulqiSandbox } from './culqi-sandbox.js';
import { type JsonObject } from './field-rules.js';
import { type Seen, sendRaw } from './raw-client.js';
import { Shop } from './shop.js';

const DAY_MS = 24 * 60 * 60 * 1000;

let dataDir: string;
let nowMs: number;
let sandbox: CulqiSandbox;
let shop: Shop;
const start = async (): Promise<void> => {
  sandbox = await startCulqiSandbox({ dataDir, nowMs: () => nowMs });
  shop = new Shop(sandbox.url);
};
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'culqi-operations-'));
  nowMs = 1_796_000_000_000;
  await start();
});
afterEach(async () => {
  await sandbox.close();
  rmSync(dataDir, { recursive: true });
});

const post = (path: string, body?: JsonObject): Promise<Seen> => sendRaw(sandbox.url, { method: 'POST', path, key: shop.secretKey, ...(body === undefined ? {} : { body }) });
const capture = (id: string): Promise<Seen> => post(`/v2/charges/${id}/capture`, {});
const refund = (fields: JsonObject): Promise<Seen> => post('/v2/refunds', { amount: 500, reason: 'solicitud_comprador', ...fields });
const shown = async (id: string): Promise<JsonObject> => (await shop.get(`/v2/charges/${id}`)).json as JsonObject;

describe('a charge that only reserves', () => {
  it('is captured once, whole, and its capture_date stays null', async () => {
    const { id } = await shop.paid({ capture: false });
    expect(await shown(id)).toMatchObject({ capture: false, outcome: { type: 'venta_exitosa' } });
    expect(await capture(id)).toMatchObject({ status: 201, json: { object: 'charge', id, capture: true, capture_date: null, operations: [] } });
    expect(await shown(id)).toMatchObject({ capture: true, capture_date: null });
    expect(await capture(id)).toMatchObject({ status: 400, json: { type: 'invalid_request_error' } });
  });

  it('is not captured by another merchant, nor when it is unknown, failed or captured from the start', async () => {
    const { id } = await shop.paid({ capture: false });
    expect(await sendRaw(sandbox.url, { method: 'POST', path: `/v2/charges/${id}/capture`, key: 'sk_test_tienda02', body: {} })).toMatchObject({ status: 404, json: { type: 'resource_error' } });
    expect((await capture('chr_test_0000000000000000')).status).toBe(404);
    expect((await capture((await shop.paid()).id)).status).toBe(400);
    await shop.charge({ source_id: await shop.token('4000040000000008', '295'), capture: false });
    expect((await capture(sandbox.books.charges().at(-1)?.id ?? '')).status).toBe(400);
  });

  it('is released by a refund of the whole, and then not captured any more', async () => {
    const { id } = await shop.paid({ capture: false });
    expect((await refund({ charge_id: id, amount: 2_000 })).status).toBe(201);
    expect(await shown(id)).toMatchObject({ capture: false, amount_refunded: 2_000, current_amount: 0 });
    expect((await capture(id)).status).toBe(400);
  });

  it('is let go of after four days', async () => {
    const { id } = await shop.paid({ capture: false });
    nowMs += 4 * DAY_MS - 1;
    expect(await shown(id)).toMatchObject({ amount_refunded: 0 });
    nowMs += 1;
    expect(await shown(id)).toMatchObject({ capture: false, amount_refunded: 2_000, current_amount: 0 });
    expect((await capture(id)).status).toBe(400);
    expect(sandbox.books.refunds()).toEqual([]);
  });
});

describe('a refund', () => {
  it('may be partial and repeated, and the same request twice gives back twice', async () => {
    const { id } = await shop.paid();
    const [first, second] = [await refund({ charge_id: id }), await refund({ charge_id: id })];
    expect(first).toMatchObject({ status: 201, json: { object: 'refund', charge_id: id, amount: 500, reason: 'Devolución solicitada por el comercio', creation_date: nowMs, metadata: {} } });
    const ids = [first, second].map(({ json }) => (json as { id: string }).id);
    expect(new Set(ids).size).toBe(2);
    expect(ids[0]).toMatch(/^ref_test_[0-9A-Za-z]{16}$/);
    expect(await shown(id)).toMatchObject({ amount_refunded: 1_000, current_amount: 1_000, capture: true });
    expect(await shop.get(`/v2/refunds/${ids[0]}`)).toMatchObject({ status: 200, json: { id: ids[0], amount: 500 } });
    expect(sandbox.books.refunds('tienda01').map((one) => one.id)).toEqual(ids);
  });

  it.each<[string, JsonObject, number]>([
    ['more than is left', { amount: 2_001 }, 400], ['no amount', { amount: undefined }, 422], ['no reason', { reason: undefined }, 422], ['a reason of nobody', { reason: 'Fraud' }, 422], ['a charge of nobody', { charge_id: 'chr_test_0000000000000000' }, 404],
  ])('of %s is refused, and nothing is booked', async (_what, changes, status) => {
    const { id } = await shop.paid();
    expect((await refund({ charge_id: id, ...changes })).status).toBe(status);
    expect(await shown(id)).toMatchObject({ amount_refunded: 0 });
  });

  it('and a capture are still there after a restart', async () => {
    const [reserved, paid] = [await shop.paid({ capture: false }), await shop.paid()];
    await capture(reserved.id);
    await refund({ charge_id: paid.id });
    const before = [sandbox.books.charges(), sandbox.books.refunds()];
    await sandbox.close();
    await start();
    expect([sandbox.books.charges(), sandbox.books.refunds()]).toEqual(before);
    expect(sandbox.books.charges().map((charge) => [charge.capture, charge.amount_refunded])).toEqual([[true, 0], [true, 500]]);
  });
});
