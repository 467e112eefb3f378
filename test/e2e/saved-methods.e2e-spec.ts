import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, mintPixelpayToken, mintToken, paymentOf, readPayment, type PaymentBody, type ProblemBody } from '../support/payments.js';
import { mintMercadopagoToken, newMercadopagoAccount, putMercadopagoAccount } from '../support/mercadopago.js';
import { newMerchantOfBoth, startService, type Merchant, type Service } from '../support/service.js';
import { rememberCanaries } from '../support/settings.js';
import { GatewayAccounts } from '../../src/tenants/gateway-accounts.js';

type MethodBody = { id: string; gateway: string; type: string; brand: string | null; last4: string | null; default: boolean; expiry: string | null };

const ANA = { email: 'ana@ejemplo.pe', firstName: 'Ana', lastName: 'Rojas', phone: '+51999000111', country: 'PE', address: { line1: 'Avenida 1', city: 'Lima' } };

let service: Service;
let ana: Merchant;
let customerId: string;
beforeAll(async () => { service = await startService(); });
afterAll(() => service.close());
beforeEach(async () => {
  ana = await newMerchantOfBoth(service.ask);
  service.sandbox.faults.clear();
  customerId = await newCustomer();
});

const newCustomer = async (body: object = ANA): Promise<string> => (await service.ask<{ id: string }>({ method: 'POST', path: '/v1/customers', key: ana.client, body })).body.id;
const ask = <T = MethodBody & ProblemBody>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path = '', body?: object, customer = customerId) =>
  service.ask<T>({ method, path: `/v1/customers/${customer}/payment-methods${path}`, key: ana.client, ...(body === undefined ? {} : { body }) });
const save = async (changes: object = {}, customer = customerId) => ask('POST', '', { gateway: 'culqi', token: await mintToken(service.sandbox.url, ana), ...changes }, customer);
const list = async (): Promise<MethodBody[]> => (await ask<{ data: MethodBody[] }>('GET')).body.data;
const pay = (savedMethodId: string, changes: Record<string, unknown> = {}) => createPayment(service, ana.client, paymentOf('', { customer: { id: customerId }, paymentMethod: { type: 'saved', savedMethodId }, ...changes }));
const cards = () => service.sandbox.books.cards(ana.culqi.merchant);
const rows = (customer = customerId) => service.tables.query<{ id: string; leaving_at: Date | null }>('select id, leaving_at from saved_methods where customer_id = ?', [customer]);
const jobs = () => service.tables.query<{ kind: string; lane: string; attempts: number }>("select kind, lane, attempts from jobs where tenant_id = ? and kind like 'customers.%'", [ana.tenantId]);
/** Jobs are due at once, however long they are to wait. */
const hurry = () => service.tables.query("update jobs set run_at = now(3) where tenant_id = ? and kind like 'customers.%' and lease_token is null", [ana.tenantId]);
const inTheEnd = <T>(read: () => Promise<T> | T, isThere: (value: T) => boolean) => eventually(async () => { await hurry(); return read(); }, isThere);
/** Meanwhile everybody else waits who chooses, keeps or forgets a card of the customer's. */
async function whileCustomerIsHeld(work: () => Promise<void>): Promise<void> {
  await service.tables.query('start transaction');
  await service.tables.query('select id from customers where id = ? for update', [customerId]);
  await work().finally(() => service.tables.query('rollback'));
}
/** How many wait for the customer. */
const waits = async () => Number((await service.tables.query<{ n: number }>("select count(*) as n from information_schema.processlist where db = database() and id <> connection_id() and info like '%customers%for update%'"))[0]?.n);
const waitingFor = (savedMethodId: string, changes: Record<string, unknown> = {}) => pay(savedMethodId, { confirm: false, ...changes });
const confirm = (id: string, body: object = {}) => service.ask<PaymentBody & ProblemBody>({ method: 'POST', path: `/v1/payments/${id}/confirm`, key: ana.client, headers: { 'idempotency-key': randomUUID() }, body });

describe('a card that Culqi keeps', () => {
  it('is kept by a token, shown without it, and charged again and again', async () => {
    const { status, body } = await save();
    expect([status, body]).toEqual([201, {
      id: expect.stringMatching(/^pm_/), customerId, gateway: 'culqi', type: 'card', brand: 'visa', last4: '1111', bin: expect.any(String), funding: expect.anything(), expiryMonth: null, expiryYear: null, expiry: null,
      default: true, createdAt: expect.any(String),
    }]);
    rememberCanaries(cards().map(({ id }) => id));
    expect((await ask('GET')).body).toEqual({ data: [body], nextCursor: null });
    for (let i = 0; i < 2; i++) {
      const paid = await pay(body.id);
      expect(paid).toMatchObject({ status: 201, body: { status: 'captured', gateway: 'culqi', customer: { id: customerId, email: 'ana@ejemplo.pe' }, paymentMethod: { type: 'saved', savedMethodId: body.id, brand: 'visa', last4: '1111' } } });
    }
    expect(service.sandbox.books.charges(ana.culqi.merchant)).toHaveLength(2);
    expect(JSON.stringify(await service.tables.query('select * from saved_methods'))).not.toContain(cards()[0]?.id);
  });

  it('of one e-mail address all belong to one customer at Culqi; the first is the default until another is made so', async () => {
    const [first, second] = [await save(), await save()];
    expect(service.sandbox.books.customers(ana.culqi.merchant)).toHaveLength(1);
    expect((await list()).map(({ id, default: isDefault }) => [id, isDefault])).toEqual([[second.body.id, false], [first.body.id, true]]);
    expect(await ask('PATCH', `/${second.body.id}`, { default: true })).toMatchObject({ status: 200, body: { default: true } });
    expect((await list()).map(({ default: isDefault }) => isDefault)).toEqual([true, false]);
    const third = await save({ default: true });
    expect((await list()).map(({ id, default: isDefault }) => [id, isDefault])).toEqual([[third.body.id, true], [second.body.id, false], [first.body.id, false]]);
  });

  it('becomes the default, or is kept, by one after the other: there is never more than one default', async () => {
    const [first] = [await save(), await save()];
    service.sandbox.faults.add({ route: 'POST /v2/cards', kind: 'delayed', delayMs: 500 });
    const keeping = save({ default: true });
    await eventually(cards, (kept) => kept.length === 3);
    const waiting: ReturnType<typeof save>[] = [keeping];
    await whileCustomerIsHeld(async () => {
      waiting.unshift(ask('PATCH', `/${first.body.id}`, { default: true }));
      expect(await eventually(waits, (found) => found === 2)).toBe(2);
    });
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 201]);
    expect((await list()).filter((method) => method.default)).toHaveLength(1);
  });

  it('can be named when a payment is confirmed, also by the customer that it was made for', async () => {
    const { body: method } = await save();
    const waiting = await createPayment(service, ana.client, { amount: 5_000, currency: 'PEN', confirm: false, customer: { id: customerId } });
    const confirmed = await service.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${waiting.body.id}/confirm`, key: ana.client, headers: { 'idempotency-key': randomUUID() }, body: { paymentMethod: { type: 'saved', savedMethodId: method.id } } });
    expect(confirmed).toMatchObject({ status: 200, body: { status: 'captured', paymentMethod: { type: 'saved', savedMethodId: method.id } } });
  });

  it('is charged once when the reply is lost', async () => {
    const { body: method } = await save();
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
    const { body } = await pay(method.id);
    expect(await eventually(() => readPayment(service, ana.client, body.id), ({ status }) => status !== 'processing')).toMatchObject({ status: 'captured' });
    expect(service.sandbox.books.charges(ana.culqi.merchant)).toHaveLength(1);
  });

  it('is forgotten, at Culqi too', async () => {
    const { body: method } = await save();
    expect((await ask('DELETE', `/${method.id}`)).status).toBe(204);
    expect([await list(), cards()]).toEqual([[], []]);
    expect((await ask('DELETE', `/${method.id}`)).status).toBe(404);
    expect(await pay(method.id)).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field: 'paymentMethod.savedMethodId' }] } });
  });

  it.each(['error_before_booking', 'reset_after_booking', 'rate_limited'] as const)('is gone at once, and at Culqi in the end, also after %s', async (kind) => {
    const { body: method } = await save();
    service.sandbox.faults.add({ route: 'DELETE /v2/cards/:id', kind, times: 2 });
    expect((await ask('DELETE', `/${method.id}`)).status).toBe(204);
    expect([await list(), (await rows()).length, (await jobs()).length]).toEqual([[], 1, 1]);
    expect(await pay(method.id)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect((await ask('PATCH', `/${method.id}`, { default: true })).status).toBe(404);
    expect((await ask('DELETE', `/${method.id}`)).status).toBe(404);
    expect(await inTheEnd(rows, (found) => found.length === 0)).toEqual([]);
    expect([cards(), await jobs()]).toEqual([[], []]);
  });

  it('leaves also where the credentials that it was kept with are rejected', async () => {
    const { body: method } = await save();
    const accounts = service.app.get(GatewayAccounts, { strict: false });
    const sealed = (secretKey: string) => service.tables.query('update gateway_accounts set credentials_sealed = ? where tenant_id = ? and gateway = ?', [accounts.seal(ana.tenantId, { publicKey: ana.culqi.publicKey, secretKey }), ana.tenantId, 'culqi']);
    await sealed('nobody');
    expect((await ask('DELETE', `/${method.id}`)).status).toBe(204);
    expect(await list()).toEqual([]);
    expect(await save()).toMatchObject({ status: 503, body: { code: 'gateway_unavailable', detail: 'The gateway does not accept the credentials of the account.' } });
    expect(await inTheEnd(jobs, (found) => (found[0]?.attempts ?? 0) > 0)).toMatchObject([{ kind: 'customers.forget_method', lane: 'culqi' }]);
    await sealed(ana.culqi.secretKey);
    expect(await inTheEnd(rows, (found) => found.length === 0)).toEqual([]);
    expect(cards()).toEqual([]);
  });

  it('is forgotten by the account that kept it, and one of which that is not known by the account in force', async () => {
    const [first, second] = [await save(), await save()];
    await service.tables.query('update saved_methods set gateway_account_id = null where id = ?', [second.body.id]);
    await service.ask({ method: 'PUT', path: `/v1/admin/tenants/${ana.tenantId}/gateway-accounts/culqi`, key: ana.admin, body: { credentials: { publicKey: 'pk_test_another00000000', secretKey: 'sk_test_another00000000' }, enabled: true, environment: 'sandbox' } });
    for (const { body } of [first, second]) expect((await ask('DELETE', `/${body.id}`)).status).toBe(204);
    // The account in force is another shop's: it knows no such card, which is as good.
    expect([await rows(), cards().length]).toEqual([[], 1]);
  });

  it('hands its being the default to the newest of the others', async () => {
    const [first, second, third] = [await save(), await save(), await save()];
    expect((await ask('DELETE', `/${first.body.id}`)).status).toBe(204);
    expect((await list()).map(({ id, default: isDefault }) => [id, isDefault])).toEqual([[third.body.id, true], [second.body.id, false]]);
    expect((await ask('DELETE', `/${second.body.id}`)).status).toBe(204);
    expect((await list()).map(({ default: isDefault }) => isDefault)).toEqual([true]);
  });

  it('is not made the default while it is forgotten: one comes after the other', async () => {
    const [first, second] = [await save(), await save()];
    const waiting: ReturnType<typeof save>[] = [];
    await whileCustomerIsHeld(async () => {
      waiting.push(ask('DELETE', `/${second.body.id}`));
      expect(await eventually(waits, (found) => found === 1)).toBe(1);
      waiting.push(ask('PATCH', `/${second.body.id}`, { default: true }));
      expect(await eventually(waits, (found) => found === 2)).toBe(2);
    });
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([204, 404]);
    expect((await list()).map(({ id, default: isDefault }) => [id, isDefault])).toEqual([[first.body.id, true]]);
  });

  it('is not charged by a confirmation that comes after it was forgotten', async () => {
    const { body: method } = await save();
    const waiting = await waitingFor(method.id);
    expect((await ask('DELETE', `/${method.id}`)).status).toBe(204);
    expect(await confirm(waiting.body.id)).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field: 'paymentMethod.savedMethodId' }] } });
    expect(service.sandbox.books.charges(ana.culqi.merchant)).toEqual([]);
    const other = await save();
    expect((await confirm(waiting.body.id, { paymentMethod: { type: 'saved', savedMethodId: other.body.id } })).body).toMatchObject({ status: 'captured' });
  });

  it('tells whose payment it is, where the order does not', async () => {
    const { body: method } = await save();
    const paid = await pay(method.id, { customer: { email: 'caja@ejemplo.pe' } });
    expect(paid).toMatchObject({ status: 201, body: { status: 'captured', customer: { id: customerId, email: 'caja@ejemplo.pe', firstName: 'Ana' } } });
    const waiting = await createPayment(service, ana.client, { amount: 5_000, currency: 'PEN', confirm: false, customer: { email: 'caja@ejemplo.pe' } });
    expect((await confirm(waiting.body.id, { paymentMethod: { type: 'saved', savedMethodId: method.id } })).body).toMatchObject({ status: 'captured', customer: { id: customerId, email: 'caja@ejemplo.pe', firstName: 'Ana' } });
  });
});

describe('a card that Culqi kept, and that is nobody\'s', () => {
  it('because its row went meanwhile, is forgotten again', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/cards', kind: 'delayed', delayMs: 500 });
    service.sandbox.faults.add({ route: 'DELETE /v2/cards/:id', kind: 'error_before_booking' });
    const keeping = save();
    await eventually(cards, (kept) => kept.length === 1);
    await service.tables.query('delete from saved_methods where customer_id = ?', [customerId]);
    await service.tables.query("delete from jobs where kind = 'customers.forget_method'");
    expect((await keeping).status).toBe(500);
    expect(await list()).toEqual([]);
    expect(await inTheEnd(cards, (kept) => kept.length === 0)).toEqual([]);
    expect(await inTheEnd(rows, (found) => found.length === 0)).toEqual([]);
  });

  it('because its row could not be written, is forgotten again at once', async () => {
    await service.tables.query("create trigger refuse before update on saved_methods for each row signal sqlstate '45000' set message_text = 'refused'");
    const { status } = await save();
    await service.tables.query('drop trigger refuse');
    expect([status, cards(), await list()]).toEqual([500, [], []]);
    expect(await inTheEnd(rows, (found) => found.length === 0)).toEqual([]);
  });

  it('because its answer was lost, goes with its customer at Culqi', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/cards', kind: 'reset_after_booking' });
    expect(await save()).toMatchObject({ status: 503, body: { code: 'gateway_unavailable' } });
    expect([cards().length, await list()]).toEqual([1, []]);
    expect(await inTheEnd(jobs, (found) => found.length === 0)).toEqual([]);
    expect([cards(), service.sandbox.books.customers(ana.culqi.merchant), await rows()]).toEqual([[], [], []]);
  });

  it('because its answer was lost, stays where another card would go with it', async () => {
    const { body: kept } = await save();
    service.sandbox.faults.add({ route: 'POST /v2/cards', kind: 'reset_after_booking' });
    expect((await save()).status).toBe(503);
    expect(await inTheEnd(jobs, (found) => found.length === 0)).toEqual([]);
    expect([cards().length, (await list()).map(({ id }) => id)]).toEqual([2, [kept.id]]);
    expect((await pay(kept.id)).body.status).toBe('captured');
  });
});

describe('a card that is not kept', () => {
  it('because the bank refuses it, is 422 with why', async () => {
    expect(await save({ token: await mintToken(service.sandbox.url, ana, { number: '4000040000000008', cvv: '295' }) })).toMatchObject({ status: 422, body: { code: 'payment_method_declined', declineCode: 'insufficient_funds' } });
    expect(await list()).toEqual([]);
  });

  it('because Culqi knows too little of the customer, names what is missing', async () => {
    const stranger = await newCustomer({ email: 'luis@ejemplo.pe', firstName: 'Luis' });
    const { status, body } = await save({}, stranger);
    expect([status, body.code, body.errors?.map(({ field }) => field)]).toEqual([400, 'validation_failed', ['customer.lastName', 'customer.address.line1', 'customer.address.city', 'customer.country', 'customer.phone']]);
    expect(service.sandbox.books.requests(ana.culqi.merchant).filter(({ path }) => path !== '/v2/tokens')).toEqual([]);
  });

  it.each([[{ gateway: 'mercadopago' }, 422, 'gateway_not_configured'], [{ gateway: 'nobody' }, 400, 'validation_failed'], [{ token: '' }, 400, 'validation_failed'], [{ token: 'tkn_test_0000000000000000' }, 400, 'validation_failed']])('because of %j', async (changes, status, code) => {
    expect(await save(changes)).toMatchObject({ status, body: { code, errors: [{ field: Object.keys(changes)[0] }] } });
    expect([await rows(), await jobs()]).toEqual([[], []]);
  });

  it('because Culqi does not answer, can be tried again', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/cards', kind: 'reset_before_booking' });
    expect(await save()).toMatchObject({ status: 503, body: { code: 'gateway_unavailable' } });
    expect((await save()).status).toBe(201);
  });

  it('because Culqi takes no more requests, can be tried again when it says', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/cards', kind: 'rate_limited', retryAfterSeconds: 17 });
    const refused = await save();
    expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([503, 'gateway_unavailable', '17']);
    // Surely nothing was kept: nothing is to be forgotten.
    expect([await rows(), await jobs()]).toEqual([[], []]);
  });

  it('of another customer or tenant is not this one\'s', async () => {
    const { body: method } = await save();
    const other = await newCustomer({ ...ANA, email: 'otra@ejemplo.pe' });
    expect((await ask('DELETE', `/${method.id}`, undefined, other)).status).toBe(404);
    expect(await pay(method.id, { customer: { id: other } })).toMatchObject({ status: 400, body: { errors: [{ field: 'paymentMethod.savedMethodId' }] } });
    const benito = await newMerchantOfBoth(service.ask);
    for (const customer of [{ id: customerId }, { email: 'ana@ejemplo.pe' }]) expect((await createPayment(service, benito.client, paymentOf('', { customer, paymentMethod: { type: 'saved', savedMethodId: method.id } }))).status).toBe(400);
    const waiting = await createPayment(service, ana.client, { amount: 5_000, currency: 'PEN', confirm: false, customer: { id: other } });
    expect(await confirm(waiting.body.id, { paymentMethod: { type: 'saved', savedMethodId: method.id } })).toMatchObject({ status: 400, body: { errors: [{ field: 'paymentMethod.savedMethodId' }] } });
    expect(service.sandbox.books.charges(ana.culqi.merchant)).toEqual([]);
  });
});

it.each([
  [{ type: 'saved' }, 'paymentMethod.savedMethodId'], [{ type: 'saved', savedMethodId: 'pm_1', tokens: { culqi: 'tkn_test_0000000000000000' } }, 'paymentMethod.tokens'],
  [{ type: 'card', savedMethodId: 'pm_1', tokens: { culqi: 'tkn_test_0000000000000000' } }, 'paymentMethod.savedMethodId'],
  [{ type: 'card', initiatedBy: 'merchant', tokens: { culqi: 'tkn_test_0000000000000000' } }, 'paymentMethod.initiatedBy'], [{ type: 'saved', savedMethodId: 'pm_1', initiatedBy: 'robot' }, 'paymentMethod.initiatedBy'],
])('a payment with %j is refused by name', async (paymentMethod, field) => {
  expect(await pay('', { paymentMethod })).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field }] } });
});

it('a card that is kept in the sandbox is not charged in production', async () => {
  const { body: method } = await save();
  await service.tables.query(`update saved_methods set environment = 'production' where id = '${method.id}'`);
  expect(await pay(method.id)).toMatchObject({ status: 422, body: { code: 'no_eligible_gateway', errors: [{ field: 'paymentMethod.savedMethodId' }] } });
});

it('PixelPay keeps a token by itself', async () => {
  const { body: method } = await save({ gateway: 'pixelpay', token: await mintPixelpayToken(service.pixelpay.url, ana) });
  expect(method).toMatchObject({ gateway: 'pixelpay', brand: null });
  for (let i = 0; i < 2; i++) {
    const { body } = await pay(method.id, { currency: 'DOP' });
    expect(await eventually(() => readPayment(service, ana.client, body.id), ({ status }) => status === 'captured')).toMatchObject({ status: 'captured', gateway: 'pixelpay' });
  }
  expect((await ask('DELETE', `/${method.id}`)).status).toBe(204);
});

it('a card that is kept twice for a customer is one', async () => {
  const [token, other] = [await mintPixelpayToken(service.pixelpay.url, ana), await mintPixelpayToken(service.pixelpay.url, ana)];
  const first = await save({ gateway: 'pixelpay', token });
  await save({ gateway: 'pixelpay', token: other });
  const again = await save({ gateway: 'pixelpay', token, default: true });
  expect([first.status, again.status, again.body]).toEqual([201, 200, first.body]);
  expect((await list()).map(({ id, default: isDefault }) => [id, isDefault])).toEqual([[expect.any(String), false], [first.body.id, true]]);
  expect([(await rows()).length, await jobs()]).toEqual([2, []]);
  const somebodyElse = await newCustomer({ ...ANA, email: 'otra@ejemplo.pe' });
  expect((await save({ gateway: 'pixelpay', token }, somebodyElse)).status).toBe(201);
});

it('a card that MercadoPago keeps needs a new token for each payment, which nobody is charged for', async () => {
  const account = newMercadopagoAccount();
  await putMercadopagoAccount(service, ana, account);
  const token = await mintMercadopagoToken(service.mercadopago.url, account);
  const { status, body: method } = await save({ gateway: 'mercadopago', token });
  expect([status, method]).toMatchObject([201, { gateway: 'mercadopago', brand: 'visa', last4: '6176', expiryMonth: 11, expiryYear: 2030, expiry: 'valid', default: true }]);

  for (let i = 0; i < 2; i++) expect((await pay(method.id)).body).toMatchObject({ status: 'captured', gateway: 'mercadopago', paymentMethod: { type: 'saved', brand: 'visa', last4: '6176' } });
  const expiring = async (query: string) => (await service.ask<{ data: MethodBody[] }>({ path: `/v1/payment-methods?${query}`, key: ana.client })).body.data.map(({ id }) => id);
  const setExpiry = (days: number) => { const at = new Date(Date.now() + days * 86_400_000); return service.tables.query('update saved_methods set expiry_year = ?, expiry_month = ? where id = ?', [at.getUTCFullYear(), at.getUTCMonth() + 1, method.id]); };
  for (const [days, expected] of [[-40, 'expired'], [0, 'expiring'], [120, 'valid']] as const) {
    await setExpiry(days);
    expect((await list())[0]?.expiry).toBe(expected);
    for (const expiry of ['expired', 'expiring', 'valid']) expect(await expiring(`expiry=${expiry}`)).toEqual(expiry === expected ? [method.id] : []);
  }
  expect(await expiring('')).toEqual([method.id]);
  expect((await service.ask({ path: '/v1/payment-methods?expiry=soon', key: ana.client })).status).toBe(400);
  const renewal = await pay(method.id, { paymentMethod: { type: 'saved', savedMethodId: method.id, initiatedBy: 'merchant' } });
  expect(renewal.body).toMatchObject({ status: 'captured', paymentMethod: { type: 'saved', initiatedBy: 'merchant' } });
  service.mercadopago.faults.clear();
  service.mercadopago.faults.add({ route: 'POST /v1/card_tokens', kind: 'hang_before_booking' });
  expect((await pay(method.id)).body).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable' } });
  expect(service.mercadopago.books.payments(account.merchant)).toHaveLength(3);

  expect((await ask('DELETE', `/${method.id}`)).status).toBe(204);
  expect(service.mercadopago.books.cards(account.merchant)).toEqual([]);
});
