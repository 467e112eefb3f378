import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, mintToken, paymentOf, type PaymentBody, type ProblemBody } from '../support/payments.js';
import { newMerchant, startService, type Merchant, type Service } from '../support/service.js';

type CustomerBody = { id: string; email: string; externalId: string | null; firstName: string | null; phone: string | null; metadata: Record<string, string>; createdAt: string; updatedAt: string };

let service: Service;
let ana: Merchant;
beforeAll(async () => { service = await startService(); });
afterAll(() => service.close());
beforeEach(async () => { ana = await newMerchant(service.ask); });

const make = (body: object, key = ana.client) => service.ask<CustomerBody & ProblemBody>({ method: 'POST', path: '/v1/customers', key, body });
const get = <T = CustomerBody & ProblemBody>(path: string, key = ana.client) => service.ask<T>({ path: `/v1/customers${path}`, key });
const pay = async (customer: object, changes: object = {}) => createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana), { customer, ...changes }));

describe('a customer', () => {
  it('is made, read, changed and listed', async () => {
    const made = await make({ email: 'ana@ejemplo.pe', firstName: 'Ana', address: { line1: 'Av. 1' }, document: { type: 'DNI', number: '12345678' }, metadata: { plan: 'basic' } });
    expect(made).toMatchObject({ status: 201, body: { id: expect.stringMatching(/^cus_/) as unknown, email: 'ana@ejemplo.pe', firstName: 'Ana', lastName: null, address: { line1: 'Av. 1' }, externalId: null, metadata: { plan: 'basic' } } });
    expect((await get(`/${made.body.id}`)).body).toEqual(made.body);
    const changed = await service.ask<CustomerBody>({ method: 'PATCH', path: `/v1/customers/${made.body.id}`, key: ana.client, body: { phone: '+51999000111' } });
    expect(changed.body).toEqual({ ...made.body, phone: '+51999000111', updatedAt: changed.body.updatedAt });
    const other = await make({ email: 'luis@ejemplo.pe' });
    expect((await get<{ data: CustomerBody[] }>('')).body.data.map(({ id }) => id)).toEqual([other.body.id, made.body.id]);
    expect((await get<{ data: CustomerBody[] }>('?email=ana@ejemplo.pe')).body.data.map(({ id }) => id)).toEqual([made.body.id]);
  });

  it('loses what is changed to null, and gets an externalId that nobody else has', async () => {
    const patch = (id: string, body: object) => service.ask<CustomerBody & ProblemBody>({ method: 'PATCH', path: `/v1/customers/${id}`, key: ana.client, body });
    const { body: made } = await make({ email: 'ana@ejemplo.pe', externalId: 'user-1', firstName: 'Ana', phone: '+51999000111', address: { line1: 'Av. 1' }, metadata: { plan: 'basic' } });
    const { body: other } = await make({ email: 'luis@ejemplo.pe' });
    expect((await patch(made.id, { firstName: null, address: null, metadata: null })).body).toMatchObject({ firstName: null, phone: '+51999000111', address: null, metadata: {}, externalId: 'user-1' });
    const without = await patch(made.id, { email: null });
    expect([without.status, without.body.code, without.body.errors?.[0]?.field]).toEqual([400, 'validation_failed', 'email']);
    expect(await patch(other.id, { externalId: 'user-1' })).toMatchObject({ status: 409, body: { code: 'duplicate_reference', existingId: made.id } });
    expect((await patch(made.id, { externalId: 'user-1' })).status).toBe(200);
    expect((await patch(made.id, { externalId: null })).body.externalId).toBeNull();
    expect((await patch(other.id, { externalId: 'user-1' })).body).toMatchObject({ id: other.id, externalId: 'user-1' });
  });

  it('is there once with each externalId, also when it is made at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => make({ email: 'ana@ejemplo.pe', externalId: 'user-1' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    const benito = await newMerchant(service.ask);
    expect((await make({ email: 'ana@ejemplo.pe', externalId: 'user-1' }, benito.client)).status).toBe(201);
  });

  it.each([[{}, 'email'], [{ email: 'ana' }, 'email'], [{ email: 'a@b.pe', externalId: '' }, 'externalId'], [{ email: 'a@b.pe', id: 'cus_1' }, 'id']])('of %j is not valid', async (body, field) => {
    expect(await make(body)).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field }] } });
  });

  it('of another tenant is not there', async () => {
    const benito = await newMerchant(service.ask);
    const { body } = await make({ email: 'b@ejemplo.pe' }, benito.client);
    expect((await get(`/${body.id}`)).status).toBe(404);
    expect((await get(`/${body.id}/payments`)).status).toBe(404);
    expect(await pay({ id: body.id })).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field: 'customer.id' }] } });
    expect(service.sandbox.books.charges(ana.culqi.merchant)).toEqual([]);
  });
});

describe('a payment of a customer', () => {
  it('is made with what is known of them, and found by them', async () => {
    const { body: customer } = await make({ email: 'ana@ejemplo.pe', firstName: 'Ana', phone: '+51999000111' });
    const { status, body } = await pay({ id: customer.id, phone: '+51999000222' });
    expect([status, body.status]).toEqual([201, 'captured']);
    expect(body.customer).toEqual({ id: customer.id, email: 'ana@ejemplo.pe', firstName: 'Ana', phone: '+51999000222' });
    await pay({ email: 'ana@ejemplo.pe' });
    const waiting = await pay({ id: customer.id }, { confirm: false });
    const theirs = [waiting.body.id, body.id];
    expect((await get<{ data: PaymentBody[] }>(`/${customer.id}/payments`)).body.data.map(({ id }) => id)).toEqual(theirs);
    const found = await service.ask<{ data: PaymentBody[] }>({ path: `/v1/payments?customerId=${customer.id}`, key: ana.client });
    expect(found.body.data.map(({ id }) => id)).toEqual(theirs);
  });

  it('keeps what was said when the customer is changed', async () => {
    const { body: customer } = await make({ email: 'ana@ejemplo.pe' });
    const { body } = await pay({ id: customer.id });
    await service.ask({ method: 'PATCH', path: `/v1/customers/${customer.id}`, key: ana.client, body: { email: 'ana.nueva@ejemplo.pe' } });
    const read = await service.ask<PaymentBody>({ path: `/v1/payments/${body.id}`, key: ana.client });
    expect(read.body.customer).toEqual({ id: customer.id, email: 'ana@ejemplo.pe' });
  });

  it('can be named when it is confirmed', async () => {
    const { body: customer } = await make({ email: 'ana@ejemplo.pe' });
    const waiting = await pay({ email: 'nadie@ejemplo.pe' }, { confirm: false });
    const confirmed = await service.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${waiting.body.id}/confirm`, key: ana.client, body: { customer: { id: customer.id } }, headers: { 'idempotency-key': 'confirm-1' } });
    expect(confirmed).toMatchObject({ status: 200, body: { status: 'captured', customer: { id: customer.id, email: 'ana@ejemplo.pe' } } });
  });

  it('is added to when it is confirmed: what is said of them, and no more', async () => {
    const { body: customer } = await make({ email: 'ana@ejemplo.pe', firstName: 'Ana' });
    const confirm = async (payer: object, said: object) => {
      const waiting = await pay(payer, { confirm: false });
      return service.ask<PaymentBody & ProblemBody>({ method: 'POST', path: `/v1/payments/${waiting.body.id}/confirm`, key: ana.client, body: { customer: said }, headers: { 'idempotency-key': waiting.body.id } });
    };
    const known = { id: customer.id, email: 'ana@ejemplo.pe', firstName: 'Ana', phone: '+51999000111' };
    const ofCustomer = { id: customer.id, phone: '+51999000111' };
    expect((await confirm(ofCustomer, { ip: '203.0.113.7', deviceId: '0123abcd-0000-4000-8000-000000000001' })).body).toMatchObject({ status: 'captured', customer: { ...known, ip: '203.0.113.7', deviceId: '0123abcd-0000-4000-8000-000000000001' } });
    expect((await confirm(ofCustomer, { email: 'ana.nueva@ejemplo.pe' })).body.customer).toEqual({ ...known, email: 'ana.nueva@ejemplo.pe' });
    expect((await confirm({ email: 'nadie@ejemplo.pe', lastName: 'Nadie' }, { ip: '203.0.113.7' })).body.customer).toEqual({ email: 'nadie@ejemplo.pe', lastName: 'Nadie', ip: '203.0.113.7' });
    // Of another customer nothing stays of the first but where the order came from.
    const { body: luis } = await make({ email: 'luis@ejemplo.pe' });
    expect((await confirm({ ...ofCustomer, ip: '203.0.113.7' }, { id: luis.id })).body.customer).toEqual({ id: luis.id, email: 'luis@ejemplo.pe', ip: '203.0.113.7' });
    expect(await confirm(ofCustomer, { email: 'nadie' })).toMatchObject({ status: 400, body: { errors: [{ field: 'customer.email' }] } });
    expect((await get<{ data: PaymentBody[] }>(`/${customer.id}/payments`)).body.data).toHaveLength(3);
  });

  it('may say null of a method that is named later', async () => {
    expect(await pay({ email: 'ana@ejemplo.pe' }, { confirm: false, paymentMethod: null })).toMatchObject({ status: 201, body: { status: 'created', paymentMethod: null } });
    expect(await pay({ email: 'ana@ejemplo.pe' }, { paymentMethod: null })).toMatchObject({ status: 400, body: { errors: [{ field: 'paymentMethod' }, { field: 'paymentMethod' }] } });
  });

  it.each([[{}, 'customer.email'], [{ id: 'cus_unknown' }, 'customer.id'], [{ firstName: 'Ana' }, 'customer.email']])('of %j is refused', async (customer, field) => {
    expect(await pay(customer)).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field }] } });
  });
});
