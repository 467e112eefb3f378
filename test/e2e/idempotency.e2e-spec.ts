import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { approvedCharges, createPayment, eventually, mintToken, paymentOf, readPayment, type ProblemBody } from '../support/payments.js';
import { newMerchant, startInstance, startService, type Merchant, type Service } from '../support/service.js';

let service: Service;
beforeAll(async () => { service = await startService(); });
afterAll(() => service.close());

const merchant = (): Promise<Merchant> => newMerchant(service.ask);

describe('a repeated request', () => {
  it('gets the same status and bytes again, and the PSP hears nothing of it (I6)', async () => {
    const shop = await merchant();
    const body = paymentOf(await mintToken(service.sandbox.url, shop));
    const key = randomUUID();
    const first = await createPayment(service, shop.client, body, key);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    for (let i = 0; i < 3; i++) {
      const again = await createPayment(service, shop.client, body, key);
      expect(again).toMatchObject({ status: 201, text: first.text });
      expect(again.headers['idempotent-replayed']).toBe('true');
    }
    expect(approvedCharges(service, shop)).toHaveLength(1);
  });

  it('is the same whatever the order of its members', async () => {
    const shop = await merchant();
    const body = paymentOf(await mintToken(service.sandbox.url, shop));
    const key = randomUUID();
    const first = await createPayment(service, shop.client, body, key);
    const again = await createPayment(service, shop.client, JSON.stringify(Object.fromEntries(Object.entries(body).reverse()), null, 2), key);
    expect(again).toMatchObject({ status: 201, text: first.text });
  });

  it('of fifty at once makes one payment and one charge (I1, I6, E1)', async () => {
    const shop = await merchant();
    const body = paymentOf(await mintToken(service.sandbox.url, shop));
    const key = randomUUID();
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'delayed', delayMs: 200, merchant: shop.culqi.merchant });
    const answers = await Promise.all(Array.from({ length: 50 }, () => createPayment(service, shop.client, body, key)));
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThanOrEqual(1);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expect(answer).toMatchObject({ status: 409, body: { code: 'idempotency_key_in_use' } });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    }
    const [stored] = await service.tables.query<{ n: number }>('select count(*) as n from payments where tenant_id = ?', [shop.tenantId]);
    expect(stored?.n).toBe(1);
    expect(service.sandbox.books.charges(shop.culqi.merchant)).toHaveLength(1);
    expect((await createPayment(service, shop.client, body, key)).text).toBe(made[0]!.text);
  });

  it('of fifty at once to two instances makes one payment and one charge, each time (I1, I6, E1)', async () => {
    const other = await startInstance(service.tables.url, service.sandbox.url, { PIXELPAY_API_URL: service.pixelpay.url, MERCADOPAGO_API_URL: service.mercadopago.url });
    const shop = await merchant();
    try {
      for (let round = 1; round <= 6; round++) {
        const [key, body] = [randomUUID(), paymentOf(await mintToken(service.sandbox.url, shop))];
        const ask = (at: number) => createPayment(at % 2 === 0 ? service : other, shop.client, body, key);
        // Whoever comes late finds the answer, or that it is being made.
        const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => ask(at)));
        const made = answers.filter(({ status }) => status === 201);
        expect(made.length).toBeGreaterThanOrEqual(1);
        for (const answer of answers.filter(({ status }) => status !== 201)) expect(answer).toMatchObject({ status: 409, body: { code: 'idempotency_key_in_use' } });
        const texts = new Set([...made, await ask(0), await ask(1)].map(({ text }) => text));
        expect(texts.size).toBe(1);
        expect(made[0]?.body).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
        const [stored] = await service.tables.query<{ n: number }>('select count(*) as n from payments where tenant_id = ?', [shop.tenantId]);
        expect(Number(stored?.n)).toBe(round);
        expect(service.sandbox.books.charges(shop.culqi.merchant)).toHaveLength(round);
      }
    } finally {
      await other.app.close();
    }
  }, 60_000);

  it('long after is the same payment, while that is in review still: nothing clears the key away (E5)', async () => {
    const shop = await merchant();
    const [key, body] = [randomUUID(), paymentOf(await mintToken(service.sandbox.url, shop))];
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'wrong_answer', changes: { amount: 12_901 }, merchant: shop.culqi.merchant });
    const first = await createPayment(service, shop.client, body, key);
    expect(first).toMatchObject({ status: 201, body: { status: 'needs_review' } });
    // Sixty days later.
    for (const [table, columns] of [['idempotency_keys', ['created_at', 'lease_ends_at']], ['payments', ['created_at', 'updated_at']], ['payment_attempts', ['created_at', 'sent_at', 'deadline_at']], ['tickets', ['opened_at']]] as const) {
      await service.tables.query(`update ${table} set ${columns.map((column) => `${column} = ${column} - interval 60 day`).join(', ')} where tenant_id = ?`, [shop.tenantId]);
    }
    // What recurs has had its turn.
    await service.tables.query("update jobs set run_at = now(3), lease_token = null where tenant_id = ''");
    await eventually(() => service.tables.query("select id from jobs where tenant_id = '' and run_at <= now(3) + interval 1 minute"), (jobs) => jobs.length === 0);
    const again = await createPayment(service, shop.client, body, key);
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([201, first.text, 'true']);
    expect(await createPayment(service, shop.client, { ...body, amount: 13_000 }, key)).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await readPayment(service, shop.client, first.body.id)).toMatchObject({ id: first.body.id, status: 'needs_review' });
    expect(await service.tables.query('select id from payments where tenant_id = ?', [shop.tenantId])).toEqual([{ id: first.body.id }]);
    expect(service.sandbox.books.requests(shop.culqi.merchant).filter(({ method, path }) => method === 'POST' && path === '/v2/charges')).toHaveLength(1);
  });

  it('of fifty that are refused leaves nothing behind and no error (T16)', async () => {
    const shop = await merchant();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => createPayment(service, shop.client, paymentOf('tkn_test_x', { amount: 1 }), key)));
    expect([...new Set(answers.map(({ status }) => status))].filter((status) => status !== 409)).toEqual([422]);
    const [stored] = await service.tables.query<{ n: number }>('select count(*) as n from idempotency_keys where tenant_id = ?', [shop.tenantId]);
    expect(stored?.n).toBe(0);
  });
});

describe('a key', () => {
  it('used for another body is refused without effect (I7, E2)', async () => {
    const shop = await merchant();
    const body = paymentOf(await mintToken(service.sandbox.url, shop));
    const key = randomUUID();
    await createPayment(service, shop.client, body, key);
    const other = await createPayment(service, shop.client, { ...body, amount: 13_000 }, key);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    const absent = await createPayment(service, shop.client, { ...body, reference: null }, key);
    expect(absent).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(service.sandbox.books.charges(shop.culqi.merchant)).toHaveLength(1);
  });

  it('is compared byte by byte (T15), and belongs to its tenant (E3)', async () => {
    const shop = await merchant();
    const other = await merchant();
    const base = { amount: 100, currency: 'PEN', confirm: false, customer: { email: 'ana@ejemplo.pe' } };
    const ids = new Set<string>();
    for (const [who, key] of [[shop, 'Key-A'], [shop, 'key-a'], [shop, 'KEY-A'], [other, 'Key-A']] as const) ids.add((await createPayment(service, who.client, base, key)).body.id);
    expect(ids.size).toBe(4);
  });

  it('is free again after a request that was refused', async () => {
    const shop = await merchant();
    const key = randomUUID();
    const refused = await createPayment(service, shop.client, paymentOf('tkn_test_x', { amount: 1 }), key);
    expect(refused.status).toBe(422);
    const made = await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop)), key);
    expect(made.body.status).toBe('captured');
  });

  it.each([
    ['is missing', {}, 'idempotency_key_required'],
    ['is empty', { 'idempotency-key': '' }, 'idempotency_key_invalid'],
    ['has a blank', { 'idempotency-key': 'a b' }, 'idempotency_key_invalid'],
    ['is too long', { 'idempotency-key': 'x'.repeat(256) }, 'idempotency_key_invalid'],
    ['differs from its alias', { 'idempotency-key': 'a', 'x-idempotency-key': 'b' }, 'idempotency_key_invalid'],
  ])('that %s is refused', async (_case, headers, code) => {
    const shop = await merchant();
    const answer = await service.ask<ProblemBody>({ method: 'POST', path: '/v1/payments', key: shop.client, body: paymentOf('tkn_test_x'), headers });
    expect(answer).toMatchObject({ status: 400, body: { code } });
  });

  it('is taken from the alias too', async () => {
    const shop = await merchant();
    const body = { amount: 100, currency: 'PEN', confirm: false, customer: { email: 'ana@ejemplo.pe' } };
    const ask = (header: string) => service.ask({ method: 'POST', path: '/v1/payments', key: shop.client, body, headers: { [header]: 'alias-1' } });
    const first = await ask('x-idempotency-key');
    expect(first.status).toBe(201);
    expect((await ask('idempotency-key')).text).toBe(first.text);
  });
});
