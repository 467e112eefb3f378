import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { approvedCharges, createPayment, mintToken, paymentOf, settled } from '../support/payments.js';
import { newMerchant, startInstance, startService, type Merchant, type Service } from '../support/service.js';

let service: Service;
let paused: Awaited<ReturnType<typeof startInstance>>;
let shop: Merchant;
beforeAll(async () => {
  service = await startService();
  paused = await startInstance(service.tables.url, service.sandbox.url, { NEW_PAYMENTS: 'off' });
  shop = await newMerchant(service.ask);
}, 30_000);
afterAll(async () => {
  await paused.app.close();
  await service.close();
});

it('while new payments are off none is made or confirmed, nothing is stored, and the key stays free', async () => {
  const body = paymentOf(await mintToken(service.sandbox.url, shop));
  const waiting = await createPayment(service, shop.client, { ...body, confirm: false });
  const refused = await createPayment(paused, shop.client, body, 'while-off');
  expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '30' }, body: { code: 'unavailable' } });
  const confirmed = await paused.ask({ method: 'POST', path: `/v1/payments/${waiting.body.id}/confirm`, key: shop.client, body: {}, headers: { 'idempotency-key': 'confirm-off' } });
  expect(confirmed.status).toBe(503);
  expect(await service.tables.query("select idempotency_key from idempotency_keys where idempotency_key in ('while-off', 'confirm-off')")).toEqual([]);
  expect(approvedCharges(service, shop)).toEqual([]);
  expect(await createPayment(service, shop.client, body, 'while-off')).toMatchObject({ status: 201, body: { status: 'captured' } });
});

it('what was answered is answered again, and what was in doubt is looked up', async () => {
  const body = paymentOf(await mintToken(service.sandbox.url, shop));
  service.sandbox.faults.add({ route: 'POST /v2/charges', merchant: shop.culqi.merchant, kind: 'reset_after_booking' });
  const lost = await createPayment(service, shop.client, body, 'in-doubt');
  expect(lost.body.status).toBe('processing');
  expect(await createPayment(paused, shop.client, body, 'in-doubt')).toMatchObject({ status: 201, headers: { 'idempotent-replayed': 'true' }, text: lost.text });
  expect((await settled(paused, shop.client, lost.body.id)).status).toBe('captured');
});
