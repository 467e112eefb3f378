import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { approvedCharges, createPayment, mintToken, paymentOf, readPayment, VISA, type PaymentBody, type ProblemBody } from '../support/payments.js';
import { newMerchant, startService, type Merchant, type Service } from '../support/service.js';

let service: Service;
let shop: Merchant;
beforeAll(async () => {
  service = await startService();
  shop = await newMerchant(service.ask);
});
afterAll(() => service.close());

describe('a card payment', () => {
  it('goes through the service to the PSP and back, and is recorded', async () => {
    const token = await mintToken(service.sandbox.url, shop);
    const made = await createPayment(service, shop.client, paymentOf(token, { reference: 'ORD-1', metadata: { plan: 'starter' } }));
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      status: 'captured', processingReason: null, amount: 12_900, amountCaptured: 12_900, currency: 'PEN', gateway: 'culqi', reference: 'ORD-1', version: 3,
      feeSource: 'psp', fee: 608, net: 12_292, feeBreakdown: { percent: 515, fixed: 0, tax: 93 }, failure: null, nextAction: null, metadata: { plan: 'starter' },
      paymentMethod: { type: 'card', brand: 'visa', last4: '1111', bin: '411111', funding: 'credit', issuerCountry: 'PE', installments: 1 },
      attempts: [{ gateway: 'culqi', operation: 'authorize', status: 'succeeded', code: null, pspCode: 'venta_exitosa' }],
    });
    const [charge, ...others] = approvedCharges(service, shop);
    expect(others).toEqual([]);
    expect(charge).toMatchObject({ id: made.body.gatewayReference, amount: 12_900, metadata: { attempt_id: made.body.attempts[0]!.id, payment_id: made.body.id } });
    expect(await readPayment(service, shop.client, made.body.id)).toEqual(made.body);
  });

  it('that is declined is an answer, with a reason in the tenant\'s language', async () => {
    const card = { number: '4000040000000008', cvv: '295' };
    const made = await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop, card)));
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      status: 'failed', amountCaptured: 0,
      failure: { code: 'insufficient_funds', pspCode: 'insufficient_funds', retryable: false, userMessage: expect.stringContaining('fondos') as unknown },
      attempts: [{ status: 'declined', code: 'insufficient_funds' }],
    });

    const english = await newMerchant(service.ask, { locale: 'en' });
    const declined = await createPayment(service, english.client, paymentOf(await mintToken(service.sandbox.url, english, card)));
    expect(declined.body.failure?.userMessage).toContain('insufficient funds');
  });

  it('that needs 3-D Secure is no payment yet', async () => {
    const token = await mintToken(service.sandbox.url, shop, { number: '4456530000001096', cvv: '111' }, 'review@culqi.com');
    const made = await createPayment(service, shop.client, paymentOf(token, { customer: { email: 'review@culqi.com' } }));
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      status: 'requires_action', amountCaptured: 0, gatewayReference: null,
      nextAction: { type: 'three_ds', gateway: 'culqi', publicKey: shop.culqi.publicKey, expiresAt: expect.any(String) as unknown },
    });
  });

  it('with confirm false is stored and sent later, with the token kept sealed meanwhile', async () => {
    const token = await mintToken(service.sandbox.url, shop);
    const stored = await createPayment(service, shop.client, paymentOf(token, { confirm: false }));
    expect(stored.body).toMatchObject({ status: 'created', attempts: [], expiresAt: expect.any(String) as unknown });
    const [row] = await service.tables.query<{ tokens_sealed: string }>('select tokens_sealed from payments where id = ?', [stored.body.id]);
    expect(row?.tokens_sealed).toMatch(/^v1\.k1\./);

    const confirm = { method: 'POST' as const, path: `/v1/payments/${stored.body.id}/confirm`, key: shop.client, body: {} };
    const confirmed = await service.ask<PaymentBody>({ ...confirm, headers: { 'idempotency-key': `confirm-${stored.body.id}` } });
    expect(confirmed).toMatchObject({ status: 200, body: { status: 'captured', expiresAt: null } });
    const [purged] = await service.tables.query<{ tokens_sealed: string | null }>('select tokens_sealed from payments where id = ?', [stored.body.id]);
    expect(purged?.tokens_sealed).toBeNull();

    const again = await service.ask<ProblemBody>({ ...confirm, headers: { 'idempotency-key': `again-${stored.body.id}` } });
    expect(again).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
  });

  it('with confirm false takes its payment method at the confirmation', async () => {
    const stored = await createPayment(service, shop.client, { amount: 900, currency: 'PEN', confirm: false, customer: { email: 'ana@ejemplo.pe' } });
    expect(stored.body).toMatchObject({ status: 'created', paymentMethod: null });
    const path = `/v1/payments/${stored.body.id}/confirm`;
    const without = await service.ask<ProblemBody>({ method: 'POST', path, key: shop.client, body: {}, headers: { 'idempotency-key': 'without' } });
    expect(without).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field: 'paymentMethod' }] } });
    const body = { paymentMethod: { type: 'card', tokens: { culqi: await mintToken(service.sandbox.url, shop) } } };
    const confirmed = await service.ask<PaymentBody>({ method: 'POST', path, key: shop.client, body, headers: { 'idempotency-key': 'without' } });
    expect(confirmed).toMatchObject({ status: 200, body: { status: 'captured', amount: 900 } });
  });

  it('is refused before anything is stored or sent when no gateway can take it', async () => {
    const sent = () => service.sandbox.books.requests(shop.culqi.merchant).filter(({ method }) => method === 'POST').length;
    const before = sent();
    const token = 'tkn_test_0000000000000000';
    const refusals: [Record<string, unknown>, number, string, string][] = [
      [paymentOf(token, { gateway: 'culqi', amount: 1 }), 422, 'invalid_amount', 'amount'],
      [paymentOf(token, { gateway: 'culqi', currency: 'CLP' }), 422, 'currency_not_supported', 'currency'],
      [paymentOf(token, { gateway: 'mercadopago' }), 422, 'gateway_not_configured', 'gateway'],
      [paymentOf(token, { gateway: 'paypal' }), 400, 'validation_failed', 'gateway'],
      [paymentOf(token, { currency: 'XXX' }), 422, 'currency_not_supported', 'currency'],
      [paymentOf(token, { amount: 1 }), 422, 'no_eligible_gateway', 'amount'],
      [paymentOf(token, { paymentMethod: { type: 'card', tokens: { mercadopago: 'x' } } }), 422, 'no_eligible_gateway', 'paymentMethod.tokens.culqi'],
      [paymentOf(token, { amount: 12.5 }), 400, 'validation_failed', 'amount'],
      [paymentOf(token, { amount: '12900' }), 400, 'validation_failed', 'amount'],
      [paymentOf(token, { customer: { firstName: 'Ana' } }), 400, 'validation_failed', 'customer.email'],
      [paymentOf(token, { surprise: true }), 400, 'validation_failed', 'surprise'],
      [{ amount: 100, currency: 'PEN', customer: { email: 'ana@ejemplo.pe' } }, 400, 'validation_failed', 'paymentMethod'],
    ];
    for (const [body, status, code, field] of refusals) {
      const { body: problem, ...answer } = await createPayment(service, shop.client, body) as unknown as { status: number; body: ProblemBody };
      expect({ code: problem.code, status: answer.status, fields: problem.errors?.map((error) => error.field) }).toMatchObject({ code, status, fields: expect.arrayContaining([field]) as unknown });
    }
    const empty = await newMerchant(service.ask);
    await service.tables.query('delete from gateway_accounts where tenant_id = ?', [empty.tenantId]);
    const answer = await createPayment(service, empty.client, paymentOf(token, { gateway: 'culqi' })) as unknown as { status: number; body: ProblemBody };
    expect(answer).toMatchObject({ status: 422, body: { code: 'gateway_not_configured' } });

    expect(sent()).toBe(before);
    const [stored] = await service.tables.query<{ n: number }>('select count(*) as n from payments where tenant_id = ?', [empty.tenantId]);
    expect(stored?.n).toBe(0);
  });

  it('with a unique reference refuses a second live one, and not a second after a failed one (E6)', async () => {
    const body = async (card = VISA): Promise<unknown> => paymentOf(await mintToken(service.sandbox.url, shop, card), { reference: 'UNIQUE-1', uniqueReference: true });
    expect((await createPayment(service, shop.client, await body({ number: '4000020000000000', cvv: '354' }))).body.status).toBe('failed');
    const first = await createPayment(service, shop.client, await body());
    expect(first.body.status).toBe('captured');
    const second = await createPayment(service, shop.client, await body()) as unknown as { status: number; body: ProblemBody };
    expect(second).toMatchObject({ status: 409, body: { code: 'duplicate_reference', existingId: first.body.id } });
    const other = await newMerchant(service.ask);
    const theirs = await createPayment(service, other.client, paymentOf(await mintToken(service.sandbox.url, other), { reference: 'UNIQUE-1', uniqueReference: true }));
    expect(theirs.body.status).toBe('captured');
  });

  it('with a unique reference that two ask for at once, each by a key of its own, is made and charged once (E6)', async () => {
    const seller = await newMerchant(service.ask);
    for (let round = 1; round <= 5; round++) {
      const bodies = await Promise.all([1, 2].map(async () => paymentOf(await mintToken(service.sandbox.url, seller), { reference: `CLICK-${round}`, uniqueReference: true })));
      const answers = await Promise.all(bodies.map((body) => createPayment(service, seller.client, body)));
      const [made, refused] = answers.sort((one, other) => one.status - other.status);
      expect(made).toMatchObject({ status: 201, body: { status: 'captured', reference: `CLICK-${round}` } });
      expect(refused).toMatchObject({ status: 409, body: { code: 'duplicate_reference', existingId: made?.body.id } });
      expect(approvedCharges(service, seller)).toHaveLength(round);
    }
    expect((await service.ask<{ data: PaymentBody[] }>({ path: '/v1/payments', key: seller.client })).body.data).toHaveLength(5);
  });

  it('keeps names in any script whole (T18)', async () => {
    const customer = { email: 'ana@ejemplo.pe', firstName: 'Ana 😀', lastName: 'Ñuñez Üç' };
    const made = await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop), { customer }));
    expect(made.body).toMatchObject({ status: 'captured', customer });
    expect((await readPayment(service, shop.client, made.body.id)).customer).toEqual(customer);
  });
});

describe('reading payments', () => {
  it('lists the newest first, by pages that stay the same while new ones come', async () => {
    const seller = await newMerchant(service.ask);
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const body = { amount: 1_000 + i, currency: 'PEN', confirm: false, reference: `R-${i % 2}`, customer: { email: 'ana@ejemplo.pe' } };
      ids.unshift((await createPayment(service, seller.client, body)).body.id);
    }
    type Page = { data: PaymentBody[]; nextCursor: string | null };
    const page = (query: string) => service.ask<Page>({ path: `/v1/payments?${query}`, key: seller.client });
    const first = await page('limit=2');
    expect(first.body.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    await createPayment(service, seller.client, { amount: 5, currency: 'PEN', confirm: false, customer: { email: 'ana@ejemplo.pe' } });
    const second = await page(`limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body.data.map(({ id }) => id)).toEqual(ids.slice(2, 4));
    const third = await page(`limit=2&cursor=${second.body.nextCursor}`);
    expect(third.body).toMatchObject({ nextCursor: null });
    expect(third.body.data.map(({ id }) => id)).toEqual(ids.slice(4));

    expect((await page('reference=R-1')).body.data.map(({ id }) => id)).toEqual([ids[1], ids[3]]);
    expect((await page('status=created,captured')).body.data).toHaveLength(6);
    expect((await page('status=failed')).body.data).toEqual([]);
    const oldest = third.body.data[0]!.createdAt;
    expect((await page(`to=${oldest}`)).body.data).toEqual([]);
    expect((await page(`from=${oldest}`)).body.data).toHaveLength(6);
    for (const wrong of ['limit=0', 'limit=101', 'limit=x', 'status=paid', 'from=yesterday', 'surprise=1']) expect((await page(wrong)).status).toBe(400);
    expect(await page('cursor=abc')).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
  });

  it('tells what happened, oldest first', async () => {
    const made = await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop)));
    const { body } = await service.ask<{ data: object[] }>({ path: `/v1/payments/${made.body.id}/timeline`, key: shop.client });
    expect(body.data.filter((entry) => 'kind' in entry && entry.kind === 'transition')).toMatchObject([
      { from: null, to: 'created', cause: 'request' },
      { from: 'created', to: 'processing', cause: 'request', attemptId: made.body.attempts[0]!.id },
      { from: 'processing', to: 'captured', cause: 'reply', attemptId: made.body.attempts[0]!.id },
    ]);
    expect(body.data.filter((entry) => 'kind' in entry && entry.kind === 'attempt')).toMatchObject([{ to: 'succeeded', attemptId: made.body.attempts[0]!.id }]);
  });

  it('syncs for operators only, and a final payment does not move', async () => {
    const made = await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop)));
    const path = `/v1/payments/${made.body.id}/sync`;
    expect(await service.ask({ method: 'POST', path, key: shop.client })).toMatchObject({ status: 403 });
    expect(await service.ask({ method: 'POST', path, key: shop.operator })).toMatchObject({ status: 200, body: { status: 'captured', version: 3 } });
    expect(await service.ask({ method: 'POST', path, key: shop.operator, body: '' })).toMatchObject({ status: 200 });
    expect(await service.ask({ method: 'POST', path: '/v1/payments', key: shop.client, body: '', headers: { 'idempotency-key': 'empty' } })).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    service.sandbox.faults.add({ route: 'GET /v2/charges/:id', kind: 'error_before_booking', status: 503 });
    expect(await service.ask({ method: 'POST', path, key: shop.operator })).toMatchObject({ status: 503, body: { code: 'gateway_unavailable' } });
  });
});

describe('another tenant (I15)', () => {
  it('sees a foreign payment exactly as one that does not exist', async () => {
    const made = await createPayment(service, shop.client, { amount: 100, currency: 'PEN', confirm: false, customer: { email: 'ana@ejemplo.pe' } });
    const stranger = await newMerchant(service.ask);
    const unknown = made.body.id.replace(/.{4}$/, '0000');
    for (const [method, suffix, key] of [['GET', '', stranger.client], ['GET', '/timeline', stranger.client], ['POST', '/sync', stranger.operator], ['POST', '/confirm', stranger.client]] as const) {
      const answers = await Promise.all([made.body.id, unknown].map(async (id) => {
        const { status, body } = await service.ask<ProblemBody>({
          method, path: `/v1/payments/${id}${suffix}`, key, headers: { 'idempotency-key': `${id}${suffix}` },
          ...(suffix === '/confirm' ? { body: { paymentMethod: { type: 'card', tokens: { culqi: 'tkn_test_x' } } } } : {}),
        });
        return { status, body: { ...body, instance: '', traceId: '' } };
      }));
      expect(answers[0]).toEqual(answers[1]);
      expect(answers[0]).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    const list = await service.ask<{ data: PaymentBody[] }>({ path: '/v1/payments', key: stranger.client });
    expect(list.body.data).toEqual([]);
  });
});
