import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, mintPixelpayToken, mintToken, paymentOf, readPayment, refundPayment, type PaymentBody, type ProblemBody } from '../support/payments.js';
import { newMerchantOfBoth, startService, type Merchant, type Service } from '../support/service.js';
import { dumpOf } from '../support/test-database.js';

let service: Service;
let shop: Merchant;
let customerId: string;
/** What nobody else in the database says. */
let PERSON: { email: string; externalId: string; firstName: string; lastName: string; phone: string; country: string; address: { line1: string; city: string }; document: { type: string; number: string }; metadata: { loves: string } };
beforeAll(async () => { service = await startService(); });
afterAll(() => service.close());
beforeEach(async () => {
  service.sandbox.faults.clear();
  shop = await newMerchantOfBoth(service.ask);
  const mark = randomUUID().slice(0, 8);
  PERSON = {
    email: `${mark}@ejemplo.pe`, externalId: `user-${mark}`, firstName: `First${mark}`, lastName: `Last${mark}`, phone: `+51${Number.parseInt(mark, 16)}`, country: 'PE',
    address: { line1: `Line1${mark}`, city: `City${mark}` }, document: { type: 'DNI', number: `D${mark}` }, metadata: { loves: `tea${mark}` },
  };
  customerId = (await service.ask<{ id: string }>({ method: 'POST', path: '/v1/customers', key: shop.client, body: PERSON })).body.id;
});

const marks = (): string[] => [PERSON.email, PERSON.externalId, PERSON.firstName, PERSON.lastName, PERSON.phone, PERSON.address.line1, PERSON.address.city, PERSON.document.number, PERSON.metadata.loves];
const erase = (id = customerId, key = shop.operator) => service.ask<ProblemBody>({ method: 'DELETE', path: `/v1/customers/${id}`, key });
const save = async () => (await service.ask<{ id: string }>({ method: 'POST', path: `/v1/customers/${customerId}/payment-methods`, key: shop.client, body: { gateway: 'culqi', token: await mintToken(service.sandbox.url, shop) } })).body.id;
const pay = async (changes: Record<string, unknown> = {}, key: string = randomUUID()) => {
  const body = paymentOf(await mintToken(service.sandbox.url, shop), { customer: { id: customerId, ip: '203.0.113.7' }, ...changes });
  return { body, answer: await createPayment(service, shop.client, body, key) };
};
const post = (path: string, body: object = {}) => service.ask<PaymentBody>({ method: 'POST', path, key: shop.client, headers: { 'idempotency-key': randomUUID() }, body });
const left = async (): Promise<string[]> => { const text = await dumpOf(service.tables); return marks().filter((mark) => text.includes(mark)); };
/** The jobs of an erasure, past the time in which requests that began before it end. */
const hurry = () => service.tables.query("update jobs set run_at = now(3) where kind like 'customers.%' and lease_token is null");
const culqi = () => ({ cards: service.sandbox.books.cards(shop.culqi.merchant), customers: service.sandbox.books.customers(shop.culqi.merchant) });
const confirm = (id: string, body: object = {}) => service.ask<ProblemBody>({ method: 'POST', path: `/v1/payments/${id}/confirm`, key: shop.client, headers: { 'idempotency-key': randomUUID() }, body });
const until = (isThere: (found: string[]) => boolean): Promise<string[]> => eventually(async () => { await hurry(); return left(); }, isThere, 8_000);

describe('an erased customer', () => {
  it('stands nowhere any more: not in their payments, nor in the answers kept for repeats, nor at Culqi', async () => {
    await save();
    const key = randomUUID();
    const { body, answer: { body: paid } } = await pay({}, key);
    await refundPayment(service, shop.client, paid.id, { amount: 100 });
    const marked = PERSON.firstName;
    await pay({ confirm: false, paymentMethod: undefined, returnUrl: `https://shop.example/${marked}` });
    const { answer: { body: reserved } } = await pay({ captureMethod: 'manual', paymentMethod: { type: 'card', tokens: { culqi: await mintToken(service.sandbox.url, shop) }, options: { mercadopago: { issuerId: marked } } } });
    await post(`/v1/payments/${reserved.id}/capture`);
    const pixelpay = await createPayment(service, shop.client, paymentOf('', { currency: 'DOP', customer: { id: customerId }, paymentMethod: { type: 'card', tokens: { pixelpay: await mintPixelpayToken(service.pixelpay.url, shop) } } }));
    await eventually(() => readPayment(service, shop.client, pixelpay.body.id), ({ status }) => status === 'captured');
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
    const lost = await pay();
    await eventually(() => readPayment(service, shop.client, lost.answer.body.id), ({ status }) => status === 'captured');
    expect((await left()).sort()).toEqual(marks().sort());
    // An answer is known by its payment alone, whatever else is known of it.
    await service.tables.query('update idempotency_keys set attempt_id = null, created_at = date_sub(now(3), interval 90 day) where tenant_id = ?', [shop.tenantId]);

    expect((await erase()).status).toBe(204);
    expect(await until((found) => found.length === 0)).toEqual([]);
    expect(culqi()).toEqual({ cards: [], customers: [] });

    const nobody = { id: customerId, email: `${customerId}@erased.invalid` };
    expect(await readPayment(service, shop.client, paid.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900, amountRefunded: 100, customer: nobody, paymentMethod: { last4: '1111' } });
    const again = await createPayment(service, shop.client, body, key);
    expect([again.status, again.headers['idempotent-replayed'], again.body.id, again.body.customer]).toEqual([201, 'true', paid.id, nobody]);
    const listed = await service.ask<{ data: PaymentBody[] }>({ path: `/v1/payments?customerId=${customerId}`, key: shop.client });
    expect(listed.body.data).toHaveLength(5);
    const audited = await service.ask<{ data: { action: string; subject: string }[] }>({ path: `/v1/admin/tenants/${shop.tenantId}/audit-entries`, key: shop.admin });
    expect(audited.body.data[0]).toMatchObject({ action: 'customer.erased', subject: customerId });
  });

  it('is nobody from then on', async () => {
    expect((await erase()).status).toBe(204);
    for (const path of ['', '/payments', '/export', '/payment-methods']) expect((await service.ask({ path: `/v1/customers/${customerId}${path}`, key: shop.operator })).status).toBe(404);
    expect((await erase()).status).toBe(404);
    expect((await service.ask({ method: 'PATCH', path: `/v1/customers/${customerId}`, key: shop.client, body: { firstName: 'Ana' } })).status).toBe(404);
    expect((await pay()).answer).toMatchObject({ status: 400, body: { errors: [{ field: 'customer.id' }] } });
    expect((await service.ask<{ data: unknown[] }>({ path: '/v1/customers', key: shop.client })).body.data).toEqual([]);
    // Somebody who comes back is somebody new.
    expect(await service.ask<{ id: string }>({ method: 'POST', path: '/v1/customers', key: shop.client, body: PERSON })).toMatchObject({ status: 201 });
  });

  it('is still named by a payment that is not final, and by none after that', async () => {
    const { answer: { body: reserved } } = await pay({ captureMethod: 'manual' });
    await pay();
    expect((await erase()).status).toBe(204);
    expect(await until((found) => !found.includes(PERSON.externalId))).toContain(PERSON.email);
    const erased = () => service.tables.query("select id from payments where customer_id = ? and customer like '%erased.invalid%'", [customerId]);
    expect(await eventually(erased, (rows) => rows.length === 1, 8_000)).toHaveLength(1);
    expect((await readPayment(service, shop.client, reserved.id)).customer).toMatchObject({ email: PERSON.email });
    expect((await post(`/v1/payments/${reserved.id}/capture`)).body).toMatchObject({ status: 'captured' });
    expect(await until((found) => found.length === 0)).toEqual([]);
  });

  it('is forgotten at Culqi in the end, whatever Culqi says at first', async () => {
    await save();
    service.sandbox.faults.add({ route: 'DELETE /v2/cards/:id', kind: 'error_before_booking', times: 2 });
    service.sandbox.faults.add({ route: 'DELETE /v2/customers/:id', kind: 'reset_after_booking' });
    expect((await erase()).status).toBe(204);
    expect((await service.ask({ path: `/v1/customers/${customerId}`, key: shop.client })).status).toBe(404);
    expect(await until((found) => found.length === 0)).toEqual([]);
    expect(culqi()).toEqual({ cards: [], customers: [] });
    expect(await service.tables.query('select id from saved_methods where customer_id = ?', [customerId])).toEqual([]);
  });

  it('is somebody else\'s customer at Culqi still, where both have one e-mail address', async () => {
    const { body: twin } = await service.ask<{ id: string }>({ method: 'POST', path: '/v1/customers', key: shop.client, body: { ...PERSON, externalId: 'twin', email: PERSON.email.toUpperCase() } });
    await save();
    const saved = await service.ask<{ id: string }>({ method: 'POST', path: `/v1/customers/${twin.id}/payment-methods`, key: shop.client, body: { gateway: 'culqi', token: await mintToken(service.sandbox.url, shop) } });
    expect(saved.status).toBe(201);
    expect((await erase()).status).toBe(204);
    const left = () => service.tables.query("select id from jobs where tenant_id = ? and kind like 'customers.%'", [shop.tenantId]);
    expect(await eventually(async () => { await hurry(); return left(); }, (found) => found.length === 0)).toEqual([]);
    expect(culqi().cards).toHaveLength(1);
    expect((await pay({ customer: { id: twin.id }, paymentMethod: { type: 'saved', savedMethodId: saved.body.id } })).answer.body.status).toBe('captured');
  });

  it('is gone once, however often it is asked for at once', async () => {
    await save();
    const answers = await Promise.all([erase(), erase(), erase()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 404, 404]);
    for (const { body } of answers.filter(({ status }) => status === 404)) expect(body.detail).toBe('There is no such customer.');
  });

  it('pays nothing any more that waited, and is taken out of it soon', async () => {
    const { answer: { body: waiting } } = await pay({ confirm: false });
    const { answer: { body: reserved } } = await pay({ captureMethod: 'manual' });
    expect((await erase()).status).toBe(204);
    expect(await confirm(waiting.id)).toMatchObject({ status: 409, body: { code: 'invalid_state', detail: 'The customer was erased.' } });
    expect(await confirm(waiting.id, { customer: { firstName: 'Ana' } })).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    const withdrawn = await eventually(async () => { await hurry(); return readPayment(service, shop.client, waiting.id); }, ({ status }) => status === 'voided');
    expect(withdrawn).toMatchObject({ status: 'voided', customer: { id: customerId, email: `${customerId}@erased.invalid` } });
    const { body: timeline } = await service.ask<{ data: { to?: string; cause: string }[] }>({ path: `/v1/payments/${waiting.id}/timeline`, key: shop.client });
    expect(timeline.data.at(-1)).toMatchObject({ to: 'voided', cause: 'request' });
    // One that is not final is waited for, and the others are not gone through again.
    const [job] = await eventually(() => service.tables.query<{ payload: string }>("select payload from jobs where tenant_id = ? and kind = 'customers.erased' and lease_token is null", [shop.tenantId]), (found) => found[0]?.payload.includes(reserved.id) === true);
    expect(JSON.parse(job?.payload ?? '{}')).toEqual({ customerId, from: reserved.id });
  });

  it('has no card kept any more that was under way', async () => {
    service.sandbox.faults.add({ route: 'POST /v2/cards', kind: 'delayed', delayMs: 400 });
    const keeping = service.ask<ProblemBody>({ method: 'POST', path: `/v1/customers/${customerId}/payment-methods`, key: shop.client, body: { gateway: 'culqi', token: await mintToken(service.sandbox.url, shop) } });
    await eventually(() => service.sandbox.books.cards(shop.culqi.merchant), (cards) => cards.length > 0);
    service.sandbox.faults.add({ route: 'DELETE /v2/cards/:id', kind: 'error_before_booking' });
    expect((await erase()).status).toBe(204);
    expect(await keeping).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await until((found) => found.length === 0)).toEqual([]);
    expect(await eventually(async () => { await hurry(); return culqi(); }, ({ cards, customers }) => cards.length + customers.length === 0)).toEqual({ cards: [], customers: [] });
    expect(await service.tables.query('select id from saved_methods where customer_id = ?', [customerId])).toEqual([]);
  });

  it('is another tenant\'s, or another key\'s to erase, never', async () => {
    const other = await newMerchantOfBoth(service.ask);
    expect((await erase(customerId, other.operator)).status).toBe(404);
    expect((await erase(customerId, shop.client)).status).toBe(403);
    expect((await left()).length).toBeGreaterThan(0);
  });

  it('is forgotten by more payments than one round takes', async () => {
    await pay();
    const columns = (await service.tables.query<{ name: string }>("select column_name as name from information_schema.columns where table_schema = database() and table_name = 'payments'")).map(({ name }) => name);
    const copied = columns.map((name) => (name === 'id' ? "concat(left(id, 24), lpad(s.seq, 6, '0'))" : `p.${name}`)).join(', ');
    await service.tables.query(`insert into payments (${columns.join(', ')}) with recursive s(seq) as (select 1 union all select seq + 1 from s where seq < 120) select ${copied} from payments p, s where p.customer_id = ?`, [customerId]);
    expect((await erase()).status).toBe(204);
    expect(await until((found) => found.length === 0)).toEqual([]);
  });
});

it('what is known of a customer can be had as one document', async () => {
  const savedId = await save();
  const { answer: { body: paid } } = await pay();
  const exported = await service.ask<{ customer: object; paymentMethods: object[]; payments: { data: PaymentBody[]; nextCursor: string | null } }>({ path: `/v1/customers/${customerId}/export?limit=1`, key: shop.operator });
  expect(exported).toMatchObject({ status: 200, body: { customer: { id: customerId, ...PERSON }, paymentMethods: [{ id: savedId, last4: '1111' }], payments: { data: [{ id: paid.id, customer: { email: PERSON.email, ip: '203.0.113.7' } }], nextCursor: null } } });
});
