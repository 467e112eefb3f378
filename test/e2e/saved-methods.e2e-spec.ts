import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, mintPixelpayToken, mintToken, paymentOf, readPayment, type PaymentBody, type ProblemBody } from '../support/payments.js';
import { mintMercadopagoToken, newMercadopagoAccount, putMercadopagoAccount } from '../support/mercadopago.js';
import { newMerchantOfBoth, startService, type Merchant, type Service } from '../support/service.js';
import { rememberCanaries } from '../support/settings.js';

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

describe('a card that Culqi keeps', () => {
  it('is kept by a token, shown without it, and charged again and again', async () => {
    const { status, body } = await save();
    expect([status, body]).toEqual([201, {
      id: expect.stringMatching(/^pm_/), customerId, gateway: 'culqi', type: 'card', brand: 'visa', last4: '1111', bin: expect.any(String), funding: expect.anything(), expiryMonth: null, expiryYear: null, expiry: null,
      default: true, createdAt: expect.any(String),
    }]);
    rememberCanaries(cards().map(({ id }) => id));
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
    await service.tables.query('start transaction');
    await service.tables.query('select id from customers where id = ? for update', [customerId]);
    const ended: string[] = [];
    const waiting = [ask('PATCH', `/${first.body.id}`, { default: true }).finally(() => ended.push('chosen')), save({ default: true }).finally(() => ended.push('kept'))];
    await eventually(cards, (kept) => kept.length === 3);
    await sleep(200);
    expect(ended).toEqual([]);
    await service.tables.query('rollback');
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

  it('stays while Culqi does not say that it has forgotten it', async () => {
    const { body: method } = await save();
    service.sandbox.faults.add({ route: 'DELETE /v2/cards/:id', kind: 'error_before_booking' });
    expect(await ask('DELETE', `/${method.id}`)).toMatchObject({ status: 503, body: { code: 'gateway_unavailable' } });
    expect(await list()).toHaveLength(1);
    service.sandbox.faults.add({ route: 'DELETE /v2/cards/:id', kind: 'reset_after_booking' });
    expect((await ask('DELETE', `/${method.id}`)).status).toBe(503);
    // It is gone there already: asked again, that is as good.
    expect((await ask('DELETE', `/${method.id}`)).status).toBe(204);
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
    expect(await save(changes)).toMatchObject({ status, body: { code } });
  });

  it('because Culqi does not answer, can be tried again', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/cards', kind: 'reset_before_booking' });
    expect(await save()).toMatchObject({ status: 503, body: { code: 'gateway_unavailable' } });
    expect((await save()).status).toBe(201);
  });

  it('of another customer or tenant is not this one\'s', async () => {
    const { body: method } = await save();
    const other = await newCustomer({ ...ANA, email: 'otra@ejemplo.pe' });
    expect((await ask('DELETE', `/${method.id}`, undefined, other)).status).toBe(404);
    for (const customer of [{ id: other }, { email: 'ana@ejemplo.pe' }]) expect(await pay(method.id, { customer })).toMatchObject({ status: 400, body: { errors: [{ field: 'paymentMethod.savedMethodId' }] } });
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
