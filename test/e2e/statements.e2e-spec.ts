import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startBehindProxy, type BehindProxy } from '../support/behind-proxy.js';
import { createPayment, mintToken, paymentOf, readPayment } from '../support/payments.js';
import { newMerchant, type Merchant } from '../support/service.js';

/** Round trips to the database of one captured payment, the key look-up and the history rows included. */
const CREATE_BUDGET = 18;

let behind: BehindProxy;
let sandbox: BehindProxy['sandbox'];
let proxy: BehindProxy['proxy'];
let instance: BehindProxy['instance'];
let shop: Merchant;
beforeAll(async () => {
  behind = await startBehindProxy({ WORKER: 'off' });
  ({ sandbox, proxy, instance } = behind);
  shop = await newMerchant(instance.ask);
});
afterAll(() => behind.close());

it('a payment costs no more round trips to the database than its budget, and no transaction is open while the PSP is called', async () => {
  const token = await mintToken(sandbox.url, shop);
  proxy.takeStatements();
  const made = await createPayment(instance, shop.client, paymentOf(token));
  expect(made.body.status).toBe('captured');
  const statements = proxy.takeStatements();
  expect(statements.length).toBeLessThanOrEqual(CREATE_BUDGET);
  const marks = statements.map((statement) => /^(begin|commit|rollback)$/.exec(statement)?.[1]).filter((mark) => mark !== undefined);
  expect(marks).toEqual(['begin', 'commit', 'begin', 'commit']);
});

it('holds no transaction open while the PSP is silent (D8)', async () => {
  sandbox.faults.add({ route: 'POST /v2/charges', kind: 'delayed', delayMs: 600 });
  const token = await mintToken(sandbox.url, shop);
  const making = createPayment(instance, shop.client, paymentOf(token));
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  const open = await behind.tables.query<{ n: number }>('select count(*) as n from information_schema.innodb_trx t join information_schema.processlist p on p.id = t.trx_mysql_thread_id where p.db = database()');
  expect(open[0]?.n).toBe(0);
  expect((await making).body.status).toBe('captured');
});

it('reading a payment costs its key, itself and its attempts', async () => {
  const made = await createPayment(instance, shop.client, paymentOf(await mintToken(sandbox.url, shop)));
  proxy.takeStatements();
  await readPayment(instance, shop.client, made.body.id);
  expect(proxy.takeStatements()).toHaveLength(3);
});
