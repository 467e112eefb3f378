import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createPayment, mintToken, paymentOf, type PaymentBody } from '../support/payments.js';
import { fetcher } from '../support/process.js';
import { newMerchant, startService, type Merchant, type Service } from '../support/service.js';

let service: Service;
/** Over the wire: only there can be told whether a request has come whole. */
let ask: Service['ask'];
let shop: Merchant;
beforeAll(async () => {
  service = await startService({ DATABASE_POOL: '2', GATEWAY_TIMEOUT_MS: '500', REQUEST_DEADLINE_MS: '1500', WORKER: 'off' });
  await service.app.listen(0, '127.0.0.1');
  ask = fetcher(await service.app.getUrl());
  shop = await newMerchant(ask);
});
afterAll(() => service.close());

it('every connection taken by those who wait for a row is 503 to others, in time, and nobody has to restart anything (D7)', async () => {
  const reserved = await Promise.all([0, 1].map(async () => (await createPayment({ ask }, shop.client, paymentOf(await mintToken(service.sandbox.url, shop), { captureMethod: 'manual' }))).body));
  await service.tables.query('start transaction');
  await service.tables.query('select id from payments for update');
  const capture = (id: string, key: string) => ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${id}/capture`, key: shop.client, headers: { 'idempotency-key': key } });
  const keys = reserved.map(() => randomUUID());
  const waiting = reserved.map(({ id }, at) => capture(id, keys[at] ?? ''));
  await sleep(200);

  const beganMs = Date.now();
  const reads = await Promise.all(Array.from({ length: 20 }, () => ask({ path: `/v1/payments/${reserved[0]?.id}`, key: shop.client })));
  expect(Date.now() - beganMs).toBeLessThan(1_500 + 2_000);
  expect(new Set(reads.map(({ status }) => status))).toEqual(new Set([503]));
  expect(reads[0]?.headers['retry-after']).toBeDefined();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([503, 503]);

  await service.tables.query('rollback');
  for (const [at, { id }] of reserved.entries()) {
    let answer = await capture(id, keys[at] ?? '');
    for (let i = 0; i < 100 && [409, 503].includes(answer.status); i++, await sleep(100)) answer = await capture(id, keys[at] ?? '');
    // Its time for the call was over when it came to its turn: Culqi was never asked, and may be now.
    expect(answer).toMatchObject({ status: 200, body: { status: 'authorized', attempts: [{}, { operation: 'capture', status: 'failed' }] } });
    expect(await capture(id, randomUUID())).toMatchObject({ status: 200, body: { status: 'captured' } });
  }
  expect(service.sandbox.books.requests(shop.culqi.merchant).filter(({ path }) => path.endsWith('/capture'))).toHaveLength(2);
}, 40_000);
