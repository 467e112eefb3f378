import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { FAULT_KINDS } from '../../src/sandbox/emulator/fault.js';
import { startMercadopagoSandbox, type MercadopagoSandbox } from '../../src/sandbox/mercadopago/mercadopago-sandbox.js';
import { startPixelpaySandbox, type PixelpaySandbox } from '../../src/sandbox/pixelpay/pixelpay-sandbox.js';
import { mintMercadopagoToken, newMercadopagoAccount, putMercadopagoAccount } from '../support/mercadopago.js';
import { approvedCharges, createPayment, eventually, mintPixelpayToken, mintToken, paidAtCulqi, paymentOf, pixelpayPaymentOf, readPayment, refundPayment, type PaymentBody } from '../support/payments.js';
import { freePort } from '../support/ports.js';
import { startProcess, startWorker, type Program, type ServiceProcess } from '../support/process.js';
import { newMerchantOfBoth, type Merchant } from '../support/service.js';
import { testEnvironment } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Of a long schedule: each payment is asked about again and again. */
const TIMES = { RESOLVE_SCHEDULE: Array.from({ length: 100 }, () => '300ms').join(','), GATEWAY_TIMEOUT_MS: '400', REQUEST_DEADLINE_MS: '2000', IDEMPOTENCY_LEASE_MS: '1000', JOB_LEASE_MS: '1500' };
/** So long a fault stays on after the first look-ups have met it. */
const EACH_MS = 100;

let tables: TestDatabase;
let culqi: CulqiSandbox;
let pixelpay: PixelpaySandbox;
let mercadopago: MercadopagoSandbox;
let service: ServiceProcess;
let worker: Program;
let workerUrl: string;
let shop: Merchant;
const account = newMercadopagoAccount();
beforeAll(async () => {
  tables = await createTestDatabase();
  culqi = await startCulqiSandbox({});
  pixelpay = await startPixelpaySandbox({});
  pixelpay.settings.change({ completeAfterMs: 300, pendingForMs: 600, refundAfterMs: 300 });
  mercadopago = await startMercadopagoSandbox({});
  const environment = testEnvironment(tables.url, culqi.url, { ...TIMES, PIXELPAY_API_URL: pixelpay.url, MERCADOPAGO_API_URL: mercadopago.url });
  service = await startProcess(environment);
  const port = await freePort();
  workerUrl = `http://127.0.0.1:${port}`;
  worker = startWorker({ ...environment, WORKER_PORT: String(port) });
  await eventually(() => live(workerUrl), (status) => status === 200);
  shop = await newMerchantOfBoth(service.ask);
  await putMercadopagoAccount(service, shop, account);
}, 60_000);
afterAll(async () => {
  await Promise.all([service.kill('SIGTERM'), worker.kill('SIGTERM')]);
  for (const sandbox of [culqi, pixelpay, mercadopago]) await sandbox.close();
  await tables.drop();
});

/** Look-ups that met a fault of this kind. */
const met = (kind: string): number => [culqi, pixelpay, mercadopago].flatMap(({ books }) => books.requests()).filter(({ method, fault }) => method === 'GET' && fault === kind).length;
const live = (url: string): Promise<number> => fetch(`${url}/health/live`).then(({ status }) => status, () => 0);

/** Payments, refunds and events of each PSP about which somebody must ask. */
async function leaveInDoubt(): Promise<string[]> {
  const mercadopagoToken = async () => paymentOf('', { currency: 'PEN', gateway: 'mercadopago', paymentMethod: { type: 'card', tokens: { mercadopago: await mintMercadopagoToken(mercadopago.url, account) }, options: { mercadopago: { paymentMethodId: 'visa' } } } });
  const make = async (body: Record<string, unknown>): Promise<PaymentBody> => (await createPayment(service, shop.client, body)).body;
  const paid = [await paidAtCulqi({ ...service, sandbox: culqi }, shop), await paidAtCulqi({ ...service, sandbox: culqi }, shop)];
  culqi.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
  pixelpay.faults.add({ route: 'POST /v2/payments', kind: 'reset_after_booking' });
  mercadopago.faults.add({ route: 'POST /v1/payments', kind: 'reset_after_booking' });
  const lost = [await make(paymentOf(await mintToken(culqi.url, shop), { gateway: 'culqi' })), await make(pixelpayPaymentOf(await mintPixelpayToken(pixelpay.url, shop))), await make(await mercadopagoToken())];
  expect(lost.map(({ status }) => status)).toEqual(['processing', 'processing', 'processing']);
  culqi.faults.add({ route: 'POST /v2/refunds', kind: 'reset_after_booking' });
  await refundPayment(service, shop.client, paid[0]?.id ?? '', { amount: 1_000 });
  culqi.panel.refund(paid[1]?.gatewayReference ?? '', 700);
  await service.ask({ method: 'POST', path: `/webhooks/culqi/${shop.tenantId}`, body: { object: 'event', id: 'evt_test_1', type: 'refund.creation.succeeded', data: { id: 'ref_test_x', chargeId: paid[1]?.gatewayReference } } });
  await tables.query("update jobs set run_at = now(3), lease_token = null where unique_key = 'payments.look_over'");
  return [...paid, ...lost].map(({ id }) => id);
}

it('whatever PSPs do to calls in the background, no process ends, and all is found out afterwards (C14)', async () => {
  const changes = { location: 'http://127.0.0.1:9/', id: null, amount: 'x', status: { a: 1 }, data: 7, metadata: 'x' };
  const ids = await leaveInDoubt();
  for (const kind of FAULT_KINDS) {
    for (const { faults } of [culqi, pixelpay, mercadopago]) {
      faults.clear();
      faults.add({ route: '*', kind, times: 10_000, delayMs: 100, changes });
    }
    await tables.query("update jobs set run_at = now(3) where kind = 'payments.look_over_account' and lease_token is null");
    await eventually(() => met(kind), (count) => count > 3, 5_000);
    await sleep(EACH_MS);
    expect(met(kind)).toBeGreaterThan(0);
    expect([kind, await live(service.url), await live(workerUrl)]).toEqual([kind, 200, 200]);
  }
  for (const { faults } of [culqi, pixelpay, mercadopago]) faults.clear();

  for (const id of ids) {
    // One that came to the end of its schedule is parked, and people have it asked about.
    await eventually(() => readPayment(service, shop.client, id), ({ status }) => status !== 'processing');
    await service.ask({ method: 'POST', path: `/v1/payments/${id}/sync`, key: shop.operator });
    expect(await eventually(() => readPayment(service, shop.client, id), ({ status }) => status === 'captured')).toMatchObject({ status: 'captured' });
  }
  const [refunded, inPanel] = ids as [string, string];
  expect(await eventually(() => readPayment(service, shop.client, refunded), ({ refunds }) => refunds.every(({ status }) => status !== 'submitted'))).toMatchObject({ refunds: [{ amount: 1_000, origin: 'api' }] });
  expect(await eventually(() => readPayment(service, shop.client, inPanel), ({ amountRefunded }) => amountRefunded > 0)).toMatchObject({ amountRefunded: 700, refunds: [{ origin: 'gateway' }] });
  expect(culqi.books.refunds(shop.culqi.merchant).map(({ amount }) => amount).sort()).toEqual([1_000, 700]);
  expect(approvedCharges({ sandbox: culqi }, shop)).toHaveLength(3);
  expect([await live(service.url), await live(workerUrl)]).toEqual([200, 200]);
  expect(await service.ask({ path: '/health/ready' })).toMatchObject({ status: 200 });
}, 90_000);
