import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startBehindProxy, type BehindProxy } from '../support/behind-proxy.js';
import { approvedCharges, createPayment, eventually, mintToken, paymentOf, readPayment, settled, type PaymentBody } from '../support/payments.js';
import { startProcess } from '../support/process.js';
import { newMerchant, type Answer, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';

let behind: BehindProxy;
let sandbox: BehindProxy['sandbox'];
let proxy: BehindProxy['proxy'];
let instance: BehindProxy['instance'];
let shop: Merchant;
beforeAll(async () => {
  behind = await startBehindProxy();
  ({ sandbox, proxy, instance } = behind);
  shop = await newMerchant(instance.ask);
});
afterEach(() => { proxy.refuseWrites(null); });
afterAll(() => behind.close());

const charges = () => approvedCharges({ sandbox }, shop);
/** A client that insists: the same key and body until there is an answer. */
async function insist(body: unknown, key: string): Promise<Answer<PaymentBody>> {
  for (const endsAt = Date.now() + 15_000; ; await sleep(100)) {
    const answer = await createPayment(instance, shop.client, body, key);
    if (![409, 503].includes(answer.status) || Date.now() > endsAt) return answer;
  }
}

/** What the server answers to a write when its disk is full, and when it may only be read, as after a failover (rows C11, D9). */
describe.each([['the table is full', 1114], ['the disk is full', 1021], ['an error on writing', 1026], ['the server is read-only', 1290], ['a replica', 1836]])('while the database takes in nothing: %s', (_what, errno) => {
  it('nothing is begun that is not durable: 503, no PSP is called, and afterwards all goes on', async () => {
    const [body, key, before] = [paymentOf(await mintToken(sandbox.url, shop)), randomUUID(), charges().length];
    proxy.refuseWrites(errno);
    expect(await createPayment(instance, shop.client, body, key)).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, body: { code: 'unavailable' } });
    expect(await instance.ask({ method: 'POST', path: `/webhooks/culqi/${shop.tenantId}`, body: { object: 'event', id: 'evt_test_1', type: 'charge.creation.succeeded', data: { id: 'chr_test_0000000000000000' } } })).toMatchObject({ status: 503 });
    expect((await instance.ask({ path: '/health/live' })).status).toBe(200);
    expect(charges()).toHaveLength(before);
    proxy.refuseWrites(null);
    expect(await createPayment(instance, shop.client, body, key)).toMatchObject({ status: 201, body: { status: 'captured' } });
    expect(charges()).toHaveLength(before + 1);
  });

  it('what the PSP did meanwhile is found out afterwards, once', async () => {
    const [body, key, before] = [paymentOf(await mintToken(sandbox.url, shop)), randomUUID(), charges().length];
    sandbox.faults.add({ route: 'POST /v2/charges', kind: 'delayed', delayMs: 300 });
    const making = createPayment(instance, shop.client, body, key);
    await eventually(charges, (booked) => booked.length > before);
    proxy.refuseWrites(errno);
    expect(await making).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    proxy.refuseWrites(null);
    const { body: made, status } = await insist(body, key);
    expect(status).toBe(201);
    expect(await settled(instance, shop.client, made.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
    expect(charges()).toHaveLength(before + 1);
    expect((await insist(body, key)).body.id).toBe(made.id);
  });
});

it('a log that cannot be written costs lines, no payments (C11)', async () => {
  const { LOG_CAPTURE_DIR: _captured, ...environment } = testEnvironment(behind.tables.url, sandbox.url);
  const full = openSync('/dev/full', 'w');
  const service = await startProcess(environment, '/health/ready', full);
  try {
    for (let i = 0; i < 5; i++) {
      const { body } = await createPayment(service, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
      expect(await readPayment(service, shop.client, body.id)).toMatchObject({ status: 'captured' });
    }
  } finally {
    expect(await service.kill('SIGTERM')).toBe(0);
    closeSync(full);
  }
}, 40_000);
