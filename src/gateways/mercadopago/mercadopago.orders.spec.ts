import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { systemClock, TimeWindow } from '../../shared/clock.js';
import { money } from '../../shared/money.js';
import type { HttpAnswer, HttpRequest, PaymentOrder, PaymentSnapshot } from '../contract/payment-gateway.js';
import { mercadopago } from './mercadopago.definition.js';
import { MercadopagoGateway } from './mercadopago.gateway.js';
import { FAILURES } from './mercadopago.orders-mapping.js';
import { orderRequest } from './mercadopago.request.js';

const SECRET = 'whsec-emulator-0001';
type Stub = (request: HttpRequest) => { status: number; body: unknown; headers?: Record<string, string> };
function opened(stub: Stub, api: 'orders' | 'payments' = 'orders'): { gateway: MercadopagoGateway; sent: HttpRequest[] } {
  const sent: HttpRequest[] = [];
  const send = (request: HttpRequest): Promise<HttpAnswer> => {
    sent.push(request);
    const { status, body, headers = {} } = stub(request);
    return Promise.resolve({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
  };
  const gateway = new MercadopagoGateway({
    credentials: { accessToken: 'APP_USR-sec-aaaaaa', publicKey: 'APP_USR-pub-aaaaaa', webhookSecret: SECRET }, environment: 'sandbox', settings: { api }, hosts: { api: new URL('http://mercadopago.example') },
    send, window: TimeWindow.open(systemClock, 1_000), now: () => new Date(),
  });
  return { gateway, sent };
}
const answering = (status: number, body: unknown, headers: Record<string, string> = {}): MercadopagoGateway => opened(() => ({ status, body, headers })).gateway;

const asked: PaymentOrder = {
  attemptId: 'att_1', paymentId: 'pay_1', amount: money(5_880n, 'PEN'), capture: 'automatic', method: { type: 'card', token: 'e3ed6f098462036d', installments: 3, options: { paymentMethodId: 'visa', applicationFee: 150 } },
  description: 'Order 77', customer: { email: 'buyer@example.pe', firstName: 'Ana', document: { type: 'DNI', number: '12345678' } },
};
/** psp/mercadopago.md §5.2. */
const order = {
  id: 'ORD01KXAAAAAAAAAAAAAAAAAAAAAA', type: 'online', external_reference: 'att_1', total_amount: '58.80', total_paid_amount: '58.80', country_code: 'PER', status: 'processed', status_detail: 'accredited', created_date: '2026-11-22T15:00:00.000Z',
  transactions: { payments: [{ id: 'PAY01KX', amount: '58.80', paid_amount: '58.80', status: 'processed', status_detail: 'accredited', payment_method: { id: 'visa', type: 'credit_card', token: 'e3ed', installments: 1 } }] },
};
const shown = (changes: object, detail?: string): Promise<PaymentSnapshot> => {
  const payments = order.transactions.payments.map((payment) => ({ ...payment, ...(detail === undefined ? {} : { status_detail: detail }) }));
  return answering(200, { ...order, transactions: { payments }, ...changes }).fetchPayment(order.id);
};
const failing = (code: string, details: string[] = []) => ({ errors: [{ code, message: 'no', details }] });

describe('an order', () => {
  it('goes out as documented, its amounts as texts', () => {
    expect(orderRequest(asked)).toEqual({
      type: 'online', processing_mode: 'automatic', capture_mode: 'automatic', total_amount: '58.80', external_reference: 'att_1', description: 'Order 77', marketplace_fee: '1.50',
      payer: { email: 'buyer@example.pe', first_name: 'Ana', identification: { type: 'DNI', number: '12345678' } },
      transactions: { payments: [{ amount: '58.80', payment_method: { id: 'visa', type: 'credit_card', token: 'e3ed6f098462036d', installments: 3 } }] },
      config: { online: { transaction_security: { validation: 'on_fraud_risk', liability_shift: 'required' } } },
    });
    expect(orderRequest({ ...asked, capture: 'manual', method: { ...asked.method, options: { paymentMethodId: 'debvisa' } } })).toMatchObject({ capture_mode: 'manual', transactions: { payments: [{ payment_method: { type: 'debit_card' } }] } });
    expect(orderRequest({ ...asked, customerId: '1-abc', method: { ...asked.method, isSaved: true, isMerchantInitiated: true } })).toMatchObject({
      payer: { customer_id: '1-abc' }, transactions: { payments: [{ stored_credential: { payment_initiator: 'merchant', first_payment: false } }] }, config: { online: { transaction_security: { validation: 'never' } } },
    });
  });

  it('is sent once, under its attempt\'s key, where the account says so; Yape and vouchers go to payments', async () => {
    const { gateway, sent } = opened(({ url }) => ({ status: 201, body: url.pathname === '/v1/orders' ? order : 'x' }));
    await gateway.createPayment(asked);
    expect(sent.map(({ method, url, headers }) => [method, url.pathname, headers['x-idempotency-key']])).toEqual([['POST', '/v1/orders', 'att_1']]);
    for (const type of ['yape', 'cash_voucher'] as const) await gateway.createPayment({ ...asked, method: { type, token: 't', installments: 1 } }).catch(() => undefined);
    await opened(() => ({ status: 201, body: 'x' }), 'payments').gateway.createPayment(asked).catch(() => undefined);
    expect(sent.slice(1).map(({ url }) => url.pathname)).toEqual(['/v1/payments', '/v1/payments']);
  });

  it('that was processed is captured, with its facts and no fee', async () => {
    const snapshot = await shown({});
    expect(snapshot).toMatchObject({
      status: 'captured', reference: order.id, ourReference: 'att_1', amount: money(5_880n, 'PEN'), captured: money(5_880n, 'PEN'), refunded: money(0n, 'PEN'), card: { brand: 'visa', funding: 'credit' }, pspCode: 'accredited',
    });
    expect(Object.keys(snapshot)).not.toContain('fee');
    expect(JSON.stringify(snapshot.raw)).not.toContain('e3ed');
  });

  // psp/mercadopago.md §5.3, word for word.
  it.each<[string, string, object]>([
    ['created', 'created', { status: 'pending' }], ['processing', 'in_process', { status: 'pending' }], ['processing', 'in_review', { status: 'pending' }], ['action_required', 'waiting_payment', { status: 'pending' }],
    ['action_required', 'waiting_capture', { status: 'authorized', captured: null }], ['action_required', 'waiting_transfer', { status: 'pending' }], ['action_required', 'waiting_retry', { status: 'pending' }],
    ['action_required', 'check_on_terminal', { status: 'pending' }], ['action_required', 'pending_challenge', { status: 'pending' }], ['at_terminal', 'at_terminal', { status: 'pending' }], ['processed', 'accredited', { status: 'captured' }],
    ['processed', 'partially_refunded', { status: 'captured' }], ['canceled', 'canceled', { status: 'voided' }], ['cancelled', 'canceled_by_api', { status: 'voided' }], ['expired', 'expired', { status: 'expired' }],
    ['failed', 'failed', { status: 'declined', decline: { code: 'card_declined' } }], ['refunded', 'refunded', { status: 'captured', refunded: money(5_880n, 'PEN') }], ['charged_back', 'in_process', { status: 'captured' }],
    ['charged_back', 'settled', { status: 'captured', isDisputed: true }], ['charged_back', 'reimbursed', { status: 'captured' }], ['in_mediation', 'x', { status: 'pending', unmapped: 'in_mediation' }], ['constructor', 'x', { status: 'pending', unmapped: 'constructor' }],
  ])('%s / %s', async (status, detail, expected) => {
    expect(await shown({ status, status_detail: detail }, detail)).toMatchObject(expected);
  });

  it('that the merchant has won is disputed no more', async () => {
    const disputed = async (detail: string) => (await shown({ status: 'charged_back', status_detail: detail }, detail)).isDisputed;
    expect([await disputed('in_process'), await disputed('settled'), await disputed('reimbursed')]).toEqual([true, true, undefined]);
  });

  it.each(('bad_filled_card_data required_call_for_authorize card_disabled high_risk insufficient_amount invalid_installments max_attempts_exceeded rejected_other_reason processing_error rejected_by_issuer '
    + 'amount_limit_exceeded 3ds_challenge_expired invalid_card_token').split(' '))('failed for %s is declined, by a row of the table', async (detail) => {
    expect(Object.keys(FAILURES)).toContain(detail);
    expect(await shown({ status: 'failed', status_detail: 'failed' }, detail)).toMatchObject({ status: 'declined', captured: null, decline: { code: FAILURES[detail]?.code, pspCode: detail } });
  });

  it('failed for what payments fail for is declined by their table', async () => {
    expect(await shown({ status: 'failed' }, 'cc_rejected_3ds_challenge')).toMatchObject({ decline: { code: 'authentication_failed' } });
    expect(await shown({ status: 'failed' }, 'something_new')).toMatchObject({ decline: { code: 'card_declined', pspCode: 'something_new' } });
  });

  it('whose payment failed comes as 402, and is a decline with the order\'s id', async () => {
    const body = { ...failing('failed', ['PAY01KX: insufficient_amount']), data: { ...order, status: 'failed', status_detail: 'failed', transactions: { payments: [{ id: 'PAY01KX', status: 'failed', status_detail: 'insufficient_amount' }] } } };
    expect(await answering(402, body).createPayment(asked)).toMatchObject({ status: 'declined', reference: order.id, decline: { code: 'insufficient_funds', pspCode: 'insufficient_amount' } });
    await expect(answering(402, failing('failed')).createPayment(asked)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it('that waits for the customer says what they must do', async () => {
    const waiting = (detail: string, method: object) => shown({ status: 'action_required', status_detail: detail, transactions: { payments: [{ id: 'PAY01KX', status_detail: detail, payment_method: method }] } });
    expect(await waiting('pending_challenge', { transaction_security: { url: 'https://acs.example' } })).toMatchObject({ status: 'requires_action', action: { type: 'three_ds', url: 'https://acs.example', creq: null, expiresAt: new Date('2026-11-22T15:05:00Z') } });
    expect(await waiting('waiting_payment', { ticket_url: 'https://pay.example', reference: '123' })).toMatchObject({ status: 'requires_action', action: { type: 'pay_code', url: 'https://pay.example', code: '123' } });
  });

  it.each<[object[], object, bigint | null]>([
    [[], {}, 0n], [[{ id: 'REF01', amount: '5.00', status: 'processed' }], {}, 500n], [[{ id: 'REF01', amount: '5.00', status: 'approved' }, { id: 'REF02', amount: '1.00', status: 'pending' }, { id: 'REF03', amount: '2.00', status: 'rejected' }], {}, 500n],
    [[{ id: 'REF01', amount: '5.00', status: 'odd' }], {}, null], [[{ id: 'REF01', amount: '5.00', status: 'odd' }], { refunded_amount: '5.00' }, 500n], [[{ id: 'REF01', amount: 'x', status: 'processed' }], {}, null],
    [[], { refunded_amount: '5.00' }, null], [[{ id: 'REF01', amount: '5.00', status: 'processed' }], { refunded_amount: '5.00' }, 500n], [[], { refunded_amount: 'x' }, null], [[], { status_detail: 'partially_refunded' }, null],
    [[{ id: 'REF01', amount: '5.00', status: 'failed' }], { status_detail: 'partially_refunded' }, null],
  ])('with the refunds %j, and of its payment %j, has given back %s', async (refunds, payment, minor) => {
    const [first] = order.transactions.payments;
    expect((await shown({ transactions: { payments: [{ ...first, ...payment }], refunds } })).refunded).toEqual(minor === null ? null : money(minor, 'PEN'));
  });

  it.each([
    [{ currency: 'MXN' }, 'MXN'], [{ country_code: 'MEX' }, 'MXN'], [{ country_code: 'PE' }, 'PEN'], [{ country_code: 'MX' }, 'MXN'], [{ country_code: 'AR' }, 'ARS'], [{ country_code: 'BR' }, 'BRL'], [{ country_code: 'CO' }, 'COP'], [{ country_code: 'UY' }, 'UYU'],
  ])('%j is of %s', async (changes, currency) => {
    expect(await shown(changes)).toMatchObject({ amount: { currency } });
  });

  it.each([[{ country_code: 'XXX' }], [{ country_code: null }], [{ total_amount: '58.805' }], [{ total_amount: 'x' }], [{ total_amount: '-1' }]])('with %j shows no amount', async (changes) => {
    expect(await shown(changes)).toMatchObject({ amount: null });
  });

  it('about another one than was asked shows nothing', async () => {
    await expect(shown({ id: 'ORD01OTHER' })).rejects.toMatchObject({ kind: 'outcome_unknown' });
    const operation = { attemptId: 'att_2', paymentId: 'pay_1', reference: 'ORD01OTHER', amount: asked.amount };
    await expect(answering(200, order).capturePayment({ ...operation, authorized: asked.amount })).rejects.toMatchObject({ kind: 'outcome_unknown' });
    await expect(answering(200, order).voidPayment(operation)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    await expect(answering(404, failing('order_not_found')).fetchPayment(order.id)).rejects.toMatchObject({ kind: 'payment_not_found' });
    await expect(answering(404, '<html></html>').fetchPayment(order.id)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });
});

describe('an answer that is no order', () => {
  it.each<[number, unknown, object]>([
    [400, failing('property_value', ['transactions.payments[0].payment_method.token']), { kind: 'request_rejected', pspCode: 'property_value', field: 'paymentMethod.tokens.mercadopago' }], [400, failing('invalid_total_amount'), { kind: 'request_rejected', field: 'amount' }],
    [400, failing('unsupported_site'), { kind: 'request_rejected' }], [422, failing('x'), { kind: 'request_rejected' }], [401, failing('unauthorized'), { kind: 'credentials_rejected' }], [403, failing('forbidden'), { kind: 'credentials_rejected' }],
    [409, failing('idempotency_key_already_used'), { kind: 'outcome_unknown' }], [409, failing('refund_in_progress'), { kind: 'outcome_unknown' }], [409, failing('cannot_cancel_order'), { kind: 'request_rejected' }],
    [423, failing('locked'), { kind: 'outcome_unknown' }], [424, failing('failed_dependency'), { kind: 'outcome_unknown' }], [403, failing('partial_refund_forbidden_with_tips'), { kind: 'request_rejected', reason: expect.stringContaining('tip') }], [500, failing('idempotency_validation_failed'), { kind: 'outcome_unknown' }], [400, '<html></html>', { kind: 'outcome_unknown' }], [201, {}, { kind: 'outcome_unknown' }],
  ])('%d %j', async (status, body, expected) => {
    await expect(answering(status, body).createPayment(asked)).rejects.toMatchObject(expected);
  });

  it('says how long to wait', async () => {
    await expect(answering(429, failing('x'), { 'retry-after': '7' }).createPayment(asked)).rejects.toMatchObject({ kind: 'rate_limited', retryAfterMs: 7_000 });
  });
});

describe('a refund of an order', () => {
  const asking = { attemptId: 'att_2', paymentId: 'pay_1', reference: order.id, amount: money(500n, 'PEN'), reason: 'duplicate' as const };
  const refunded = (...refunds: { id: string; amount: string; status: string }[]) => ({ ...order, transactions: { ...order.transactions, refunds } });
  const answers = (before: object, after: { status: number; body: object }) => opened(({ method }) => (method === 'GET' ? { status: 200, body: before } : after));

  it.each([['processed', 'succeeded'], ['processing', 'pending'], ['failed', 'failed'], ['odd', 'pending']])('%s is %s', async (status, ours) => {
    const { gateway, sent } = answers(order, { status: 201, body: refunded({ id: 'REF01', amount: '5.00', status }) });
    expect(await gateway.refundPayment(asking)).toMatchObject({ status: ours, reference: 'REF01', amount: money(500n, 'PEN') });
    expect(sent.map(({ method, url, body }) => [method, url.pathname, body])).toEqual([['GET', `/v1/orders/${order.id}`, undefined], ['POST', `/v1/orders/${order.id}/refund`, '{"transactions":[{"id":"PAY01KX","amount":"5.00"}]}']]);
  });

  it('of all of it says no amount; the second of the same amount is the new one', async () => {
    const whole = answers(order, { status: 201, body: refunded({ id: 'REF01', amount: '58.80', status: 'processed' }) });
    await whole.gateway.refundPayment({ ...asking, amount: money(5_880n, 'PEN') });
    expect(whole.sent[1]?.body).toBeUndefined();
    const first = { id: 'REF01', amount: '5.00', status: 'processed' };
    const second = answers(refunded(first), { status: 201, body: refunded(first, { id: 'REF02', amount: '5.00', status: 'processed' }) });
    expect(await second.gateway.refundPayment(asking)).toMatchObject({ reference: 'REF02' });
  });

  it('was not asked for when the order could not be read before', async () => {
    await expect(opened(() => ({ status: 500, body: {} })).gateway.refundPayment(asking)).rejects.toMatchObject({ kind: 'not_contacted' });
    await expect(answers(order, { status: 201, body: order }).gateway.refundPayment(asking)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it('is found among those that are none of our others', async () => {
    const looking = { ...asking, sentAt: new Date(), deadlineAt: new Date(Date.now() - 1), refundedBefore: money(500n, 'PEN'), otherReferences: ['REF01'] };
    const first = { id: 'REF01', amount: '5.00', status: 'processed' };
    expect(await answering(200, refunded(first)).findRefund(looking)).toBeNull();
    expect(await answering(200, refunded(first, { id: 'REF02', amount: '5.00', status: 'processed' })).findRefund(looking)).toMatchObject({ reference: 'REF02' });
    await expect(answering(200, refunded(first, { id: 'REF02', amount: '7.00', status: 'processed' })).findRefund(looking)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    // The panel's is known, without an id.
    expect(await answering(200, refunded({ id: 'REF07', amount: '5.00', status: 'processed' })).findRefund(looking)).toBeNull();
    expect(await answering(200, refunded(first, { id: 'REF02', amount: '5.00', status: 'processing' })).findRefund(looking)).toMatchObject({ status: 'pending', reference: 'REF02' });
    await expect(answering(200, refunded(first, { id: 'REF02', amount: '5.00', status: 'odd' })).findRefund(looking)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it('that failed is ours only if the order changed since ours was sent', async () => {
    const looking = { ...asking, sentAt: new Date('2026-11-22T15:00:00Z'), deadlineAt: new Date('2026-11-22T15:00:20Z'), refundedBefore: money(0n, 'PEN'), otherReferences: [] };
    const failed = (changed: string | null) => answering(200, { ...refunded({ id: 'REF01', amount: '5.00', status: 'failed' }), last_updated_date: changed }).findRefund(looking);
    expect(await failed('2026-11-22T15:00:01.000Z')).toMatchObject({ status: 'failed', reference: 'REF01' });
    for (const changed of ['2026-11-22T13:59:00.000Z', null]) expect(await failed(changed)).toBeNull();
  });
});

describe('a search of orders', () => {
  const range = { from: new Date(0), to: new Date(1_000) };
  const attempt = { attemptId: 'att_1', amount: asked.amount, sentAt: new Date(), deadlineAt: new Date() };
  const rowsOf = (count: number) => Array.from({ length: count }, (_, at) => ({ ...order, id: `ORD01${at}`, external_reference: `att_${at}` }));
  const paged = (rows: object[], size: number, total = rows.length) => opened(({ url }) => {
    if (url.pathname !== '/v1/orders') return { status: 200, body: { paging: { total: 0 }, results: [] } };
    const page = Number(url.searchParams.get('page'));
    return { status: 200, body: { data: rows.slice((page - 1) * size, page * size), paging: { total: String(total) } } };
  }).gateway;

  it('that finds more than it shows proves nothing', async () => {
    await expect(paged(rowsOf(3), 2).findPayment(attempt)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it('is read to its end however few come to a page; what is not whole is no listing', async () => {
    for (const size of [100, 20]) expect(await paged(rowsOf(130), size).listPayments(range)).toHaveLength(130);
    await expect(paged(rowsOf(40), 20, 41).listPayments(range)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    await expect(paged([...rowsOf(20), ...rowsOf(20)], 20).listPayments(range)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    expect(await paged(rowsOf(20), 20, 1_001).listPayments(range)).toBeNull();
  });
});

describe('what shows under a number where orders are made', () => {
  const payment = (id: number, method: string) => ({ id, status: 'approved', status_detail: 'accredited', currency_id: 'PEN', external_reference: 'att_1', transaction_amount: 58.8, payment_method_id: method });
  const stub: Stub = ({ url }) => ({ status: 200, body: url.pathname === '/v1/orders' ? { data: [], paging: { total: '0' } } : { paging: { total: 2 }, results: [payment(1, 'visa'), payment(2, 'yape')] } });
  const range = { from: new Date(0), to: new Date(1_000) };

  it('is no second charge: a card there may be an order\'s own', async () => {
    const { gateway } = opened(stub);
    expect((await gateway.listPayments(range))?.map(({ reference }) => reference)).toEqual(['2']);
    expect(await gateway.findPayment({ attemptId: 'att_1', amount: asked.amount, sentAt: new Date(), deadlineAt: new Date() })).toMatchObject({ reference: '2' });
    const { gateway: other } = opened(stub, 'payments');
    expect((await other.listPayments(range))?.map(({ reference }) => reference)).toEqual(['1', '2']);
  });

  it('is a hint when a webhook names it; one that names an order is proven', () => {
    const read = (topic: string, id: string, api: 'orders' | 'payments') => opened(stub, api).gateway.readWebhook({
      headers: { 'x-signature': `ts=1,v1=${createHmac('sha256', SECRET).update(`id:${id};ts:1;`).digest('hex')}` }, query: { 'data.id': id, type: topic }, body: Buffer.from(`{"type":"${topic}","action":"${topic}.updated"}`),
    });
    expect(read('payment', '123', 'orders')).toMatchObject({ reference: '123', isProven: false, isAuthentic: true });
    expect(read('payment', '123', 'payments')).toMatchObject({ reference: '123', isProven: true });
    for (const id of ['ORD01KX', 'ord01kx']) expect(read('order', id, 'orders')).toMatchObject({ reference: 'ORD01KX', isProven: true });
  });

  it('an account does not go back', () => {
    expect(mercadopago.refusesSettings?.({ api: 'orders' }, {})).toMatchObject({ field: 'settings.api' });
    for (const [before, after] of [[{}, { api: 'orders' }], [{ api: 'orders' }, { api: 'orders' }], [{}, {}]]) expect(mercadopago.refusesSettings?.(before ?? {}, after ?? {})).toBeNull();
  });
});
