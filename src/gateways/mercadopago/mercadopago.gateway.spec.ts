import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { systemClock, TimeWindow } from '../../shared/clock.js';
import { money } from '../../shared/money.js';
import { GatewayError } from '../contract/gateway-error.js';
import type { HttpAnswer, PaymentOrder, PaymentSnapshot, SendHttp } from '../contract/payment-gateway.js';
import { mercadopago } from './mercadopago.definition.js';
import { MercadopagoGateway } from './mercadopago.gateway.js';
import { REJECTIONS } from './mercadopago.mapping.js';
import { paymentRequest } from './mercadopago.request.js';
import { readWebhook } from './mercadopago.webhook.js';

const SECRET = 'whsec-emulator-0001';
const sending = (send: SendHttp, environment: 'sandbox' | 'production' = 'sandbox'): MercadopagoGateway => new MercadopagoGateway({
  credentials: { accessToken: 'APP_USR-sec-aaaaaa', publicKey: 'APP_USR-pub-aaaaaa', webhookSecret: SECRET }, environment, settings: {}, hosts: { api: new URL('http://mercadopago.example') }, send,
  window: TimeWindow.open(systemClock, 1_000), now: () => new Date(),
});
const answerOf = (status: number, body: unknown, headers: Record<string, string> = {}): Promise<HttpAnswer> => Promise.resolve({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
const answering = (status: number, body: unknown, headers: Record<string, string> = {}): MercadopagoGateway => sending(() => answerOf(status, body, headers));
const order: PaymentOrder = {
  attemptId: 'att_1', paymentId: 'pay_1', amount: money(5_880n, 'PEN'), capture: 'automatic', method: { type: 'card', token: 'e3ed6f098462036d', installments: 3, options: { paymentMethodId: 'visa', issuerId: '12345' } },
  description: 'Order 77', customer: { email: 'buyer@example.pe', firstName: 'Ana', lastName: 'Paz', document: { type: 'DNI', number: '12345678' }, ip: '203.0.113.7' },
};
/** psp/mercadopago.md §2.3. */
const payment = {
  id: 123_456_789_012, date_created: '2026-11-22T10:00:00.000-04:00', status: 'approved', status_detail: 'accredited', currency_id: 'PEN', external_reference: 'att_1', transaction_amount: 58.8, transaction_amount_refunded: 0,
  payment_method_id: 'visa', payment_type_id: 'credit_card', authorization_code: '301299', captured: true, fee_details: [{ type: 'mercadopago_fee', amount: 2.64, fee_payer: 'collector' }, { type: 'financing_fee', amount: 9, fee_payer: 'payer' }],
  transaction_details: { net_received_amount: 56.16, external_resource_url: null }, card: { first_six_digits: '400917', last_four_digits: '6176' },
};
const shown = (changes: object): Promise<PaymentSnapshot> => answering(200, { ...payment, ...changes }).fetchPayment('123456789012');

describe('a payment', () => {
  it('goes out as documented', () => {
    expect(paymentRequest(order)).toEqual({
      transaction_amount: 58.8, token: 'e3ed6f098462036d', description: 'Order 77', installments: 3, payment_method_id: 'visa', issuer_id: '12345',
      payer: { email: 'buyer@example.pe', first_name: 'Ana', last_name: 'Paz', identification: { type: 'DNI', number: '12345678' } }, capture: true, binary_mode: false, three_d_secure_mode: 'optional',
      external_reference: 'att_1', metadata: { attempt_id: 'att_1', payment_id: 'pay_1' }, additional_info: { ip_address: '203.0.113.7' },
    });
    const voucher = paymentRequest({ ...order, method: { type: 'cash_voucher', token: '', installments: 1 } });
    expect(voucher).toMatchObject({ payment_method_id: 'pagoefectivo_atm' });
    expect(Object.keys(voucher)).not.toEqual(expect.arrayContaining(['token']));
    expect(paymentRequest({ ...order, amount: money(12_900n, 'CLP') }).transaction_amount).toBe(12_900);
  });

  it('of a marketplace says its fee, and a renewal that nobody is there', () => {
    const { options, ...method } = order.method;
    expect(paymentRequest({ ...order, method: { ...method, options: { ...options, applicationFee: 150 } } })).toMatchObject({ application_fee: 1.5 });
    expect(paymentRequest({ ...order, method: { ...order.method, isSaved: true, isMerchantInitiated: true } })).toMatchObject({ three_d_secure_mode: 'not_supported', point_of_interaction: { transaction_data: { transaction_initiator: 'merchant', storage: 'stored' } } });
    for (const [applicationFee, isRight] of [[0, true], [5_880, true], [5_881, false], [-1, false], [1.5, false], ['150', false], [{}, false]] as const) {
      const fields = mercadopago.missingFields({ ...order, method: { ...method, options: { ...options, applicationFee } } }).map(({ field }) => field);
      expect(fields).toEqual(isRight ? [] : ['paymentMethod.options.mercadopago.applicationFee']);
    }
  });

  it('that was approved is captured, with its facts; what the payer pays is no fee of ours', async () => {
    expect(await shown({})).toMatchObject({
      status: 'captured', reference: '123456789012', ourReference: 'att_1', amount: money(5_880n, 'PEN'), captured: money(5_880n, 'PEN'), refunded: money(0n, 'PEN'), fee: money(264n, 'PEN'), net: money(5_616n, 'PEN'),
      card: { brand: 'visa', last4: '6176', bin: '400917', funding: 'credit' }, authorizationCode: '301299', pspCode: 'accredited',
    });
  });

  // psp/mercadopago.md §2.4, word for word.
  it.each(('bank_error cc_rejected_3ds_challenge cc_rejected_3ds_mandatory cc_rejected_bad_filled_card_number cc_rejected_bad_filled_date cc_rejected_bad_filled_other cc_rejected_bad_filled_security_code '
    + 'cc_rejected_blacklist cc_rejected_call_for_authorize cc_rejected_card_disabled cc_rejected_card_error cc_rejected_card_type_not_allowed cc_rejected_duplicated_payment cc_rejected_high_risk '
    + 'cc_rejected_insufficient_amount cc_rejected_invalid_installments cc_rejected_max_attempts cc_rejected_other_reason cc_rejected_time_out cc_amount_rate_limit_exceeded cc_unsupported_unsupported '
    + 'cc_rejected_form_error insufficient_amount rejected_by_bank rejected_by_regulations rejected_high_risk rejected_insufficient_data').split(' '))('rejected for %s is declined, by a row of the table', async (detail) => {
    expect(Object.keys(REJECTIONS)).toContain(detail);
    expect(await shown({ status: 'rejected', status_detail: detail })).toMatchObject({ status: 'declined', captured: null, decline: { code: REJECTIONS[detail]?.code, pspCode: detail } });
  });

  it.each<[string, string | null, object]>([
    ['approved', 'partially_refunded', { status: 'captured' }], ['authorized', 'pending_capture', { status: 'authorized', captured: null }], ['in_process', 'pending_contingency', { status: 'pending' }],
    ['in_process', 'pending_review_manual', { status: 'pending' }], ['in_process', 'offline_process', { status: 'pending' }], ['pending', 'pending_waiting_transfer', { status: 'pending' }],
    ['pending', 'pending_waiting_for_remedy', { status: 'pending' }], ['pending', 'pending_provider_response', { status: 'pending' }], ['cancelled', 'expired', { status: 'expired' }], ['cancelled', 'by_collector', { status: 'voided' }],
    ['cancelled', 'by_payer', { status: 'voided' }], ['cancelled', 'by_magic', { status: 'pending', unmapped: 'cancelled by_magic' }], ['refunded', 'refunded', { status: 'captured' }], ['refunded', 'by_admin', { status: 'captured' }],
    ['charged_back', 'in_process', { status: 'captured' }], ['charged_back', 'settled', { status: 'captured' }], ['charged_back', 'reimbursed', { status: 'captured' }],
    ['in_mediation', null, { status: 'pending', unmapped: 'in_mediation' }], ['rejected', 'new_reason', { status: 'declined', decline: { code: 'card_declined', pspCode: 'new_reason' } }], ['constructor', null, { status: 'pending', unmapped: 'constructor' }],
  ])('%s / %s', async (status, detail, expected) => {
    expect(await shown({ status, status_detail: detail })).toMatchObject(expected);
  });

  it('that the merchant has won is disputed no more', async () => {
    const disputed = async (detail: string) => (await shown({ status: 'charged_back', status_detail: detail })).isDisputed;
    expect([await disputed('in_process'), await disputed('settled'), await disputed('reimbursed')]).toEqual([true, true, undefined]);
  });

  it('that waits for the customer says what they must do', async () => {
    expect(await shown({ status: 'pending', status_detail: 'pending_challenge', three_ds_info: { external_resource_url: 'https://acs.example', creq: 'eyJ0' } }))
      .toMatchObject({ status: 'requires_action', action: { type: 'three_ds', url: 'https://acs.example', creq: 'eyJ0', expiresAt: new Date('2026-11-22T14:05:00Z') } });
    const details = { external_resource_url: 'https://pay.example/ticket', payment_method_reference_id: '123456789' };
    expect(await shown({ status: 'pending', status_detail: 'pending_waiting_payment', transaction_details: details, date_of_expiration: '2026-11-24T10:00:00.000-04:00' }))
      .toMatchObject({ status: 'requires_action', action: { type: 'pay_code', url: 'https://pay.example/ticket', code: '123456789', expiresAt: new Date('2026-11-24T14:00:00Z') } });
  });

  it('that is approved and not captured is reserved only', async () => {
    expect(await shown({ captured: false })).toMatchObject({ status: 'authorized', captured: null });
  });

  it.each<[string, object, string]>([['approved', {}, 'accredited'], ['authorized', {}, 'pending_capture'], ['pending', { three_ds_info: { external_resource_url: 'https://acs.example', creq: 'x' } }, 'pending_challenge']])('in test mode (%s) is no money to an account in production', async (status, changes, detail) => {
    const played = { ...payment, status, status_detail: detail, live_mode: false, ...changes };
    const fetched = (environment: 'sandbox' | 'production', body: object) => sending(() => answerOf(200, body), environment).fetchPayment('123456789012');
    expect(await fetched('production', played)).toMatchObject({ status: 'pending', unmapped: 'live_mode false', captured: null });
    for (const snapshot of [await fetched('sandbox', played), await fetched('production', { ...played, live_mode: true }), await fetched('production', { ...played, live_mode: undefined })]) expect(snapshot).not.toMatchObject({ status: 'pending' });
    expect(await fetched('production', { ...payment, live_mode: false, status: 'rejected', status_detail: 'cc_rejected_other_reason' })).toMatchObject({ status: 'declined' });
  });

  it('whose amounts cannot be said exactly shows none', async () => {
    expect(await shown({ transaction_amount: 58.805 })).toMatchObject({ amount: null });
  });

  it('about another one than was asked shows nothing', async () => {
    await expect(shown({ id: 1 })).rejects.toMatchObject({ kind: 'outcome_unknown' });
    const operation = { attemptId: 'att_2', paymentId: 'pay_1', reference: '123456789012', amount: order.amount };
    const other = answering(200, { ...payment, id: 1 });
    await expect(other.capturePayment({ ...operation, authorized: order.amount })).rejects.toMatchObject({ kind: 'outcome_unknown' });
    await expect(other.voidPayment(operation)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it('by a debit card cannot be captured later', () => {
    const fields = (paymentMethodId: string, capture: 'automatic' | 'manual') => mercadopago.missingFields({ ...order, capture, method: { ...order.method, options: { paymentMethodId } } }).map(({ field }) => field);
    expect([fields('debvisa', 'manual'), fields('debmaster', 'manual'), fields('debvisa', 'automatic'), fields('visa', 'manual')]).toEqual([['captureMethod'], ['captureMethod'], [], []]);
  });
});

describe('a search', () => {
  const attempt = { attemptId: 'att_1', amount: order.amount, sentAt: new Date(), deadlineAt: new Date() };
  const range = { from: new Date(0), to: new Date(1_000) };
  const rowsOf = (count: number, from = 1) => Array.from({ length: count }, (_, at) => ({ ...payment, id: from + at, external_reference: `att_${from + at}` }));
  /** A listing of `rows` in pages of `size` at most, whatever is asked for. */
  const paged = (rows: object[], size: number, total = rows.length) => {
    const asked: string[] = [];
    const gateway = sending(({ url: { searchParams: query } }) => {
      const [limit, offset] = [Number(query.get('limit')), Number(query.get('offset'))];
      asked.push(`${offset}+${limit}`);
      return answerOf(200, { paging: { total, limit: Math.min(limit, size), offset }, results: rows.slice(offset, offset + Math.min(limit, size)) });
    });
    return { gateway, asked };
  };

  it('that finds more than it shows proves nothing', async () => {
    await expect(answering(200, { paging: { total: 2 }, results: [{ ...payment, external_reference: 'att_other' }] }).findPayment(attempt)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    expect(await answering(200, { paging: { total: 0 }, results: [] }).findPayment(attempt)).toBeNull();
  });

  it.each([100, 50, 30, 7])('is read to its end, %d to a page, though more were asked for', async (size) => {
    const { gateway, asked } = paged(rowsOf(130), size);
    expect((await gateway.listPayments(range))?.map(({ reference }) => reference)).toEqual(rowsOf(130).map(({ id }) => String(id)));
    expect(asked).toHaveLength(Math.ceil(130 / size));
  });

  it('never asks for rows beyond the last that MercadoPago pages to, and lists none of more', async () => {
    const { gateway, asked } = paged(rowsOf(1_000), 70);
    expect(await gateway.listPayments(range)).toHaveLength(1_000);
    expect(Math.max(...asked.map((each) => each.split('+').reduce((sum, part) => sum + Number(part), 0)))).toBe(1_000);
    expect(await paged(rowsOf(100), 100, 1_001).gateway.listPayments(range)).toBeNull();
  });

  it('of which fewer rows came than there are, or one twice, is not complete', async () => {
    await expect(paged(rowsOf(40), 30, 41).gateway.listPayments(range)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    await expect(paged([...rowsOf(30), ...rowsOf(10, 30)], 30).gateway.listPayments(range)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    await expect(paged([], 30, 3).gateway.listPayments(range)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });
});

describe('an answer that is no payment', () => {
  const failure = (status: number, code: number | string) => ({ message: 'no', error: 'bad_request', status, cause: [{ code, description: 'no', data: null }] });
  it.each<[number, unknown, object]>([
    [400, failure(400, 2062), { kind: 'request_rejected', pspCode: '2062', field: 'paymentMethod.tokens.mercadopago' }], [400, failure(400, '2072'), { kind: 'request_rejected', field: 'amount' }], [422, failure(422, 1), { kind: 'request_rejected' }],
    [400, failure(400, 2001), { kind: 'outcome_unknown' }], [400, failure(400, 801), { kind: 'outcome_unknown' }], [404, failure(404, 2004), { kind: 'outcome_unknown' }], [404, failure(404, 2007), { kind: 'outcome_unknown' }],
    [409, failure(409, 401001), { kind: 'outcome_unknown' }], [423, failure(423, 1), { kind: 'outcome_unknown' }], [424, failure(424, 1), { kind: 'outcome_unknown' }], [500, failure(500, 1), { kind: 'outcome_unknown' }],
    [400, { ...failure(400, 2062), cause: [{ code: 2062 }, { code: 2001 }] }, { kind: 'outcome_unknown' }], [400, { ...failure(400, 2062), code: '401001', cause: [] }, { kind: 'outcome_unknown' }], [400, { ...failure(400, 1), cause: 'odd' }, { kind: 'outcome_unknown' }],
    [400, { ...failure(400, 1), cause: [{ code: {} }] }, { kind: 'outcome_unknown' }], [400, { ...failure(400, 1), cause: null }, { kind: 'request_rejected' }], [409, { code: '401001', message: 'The process has not been completed yet.' }, { kind: 'outcome_unknown' }],
    [401, failure(401, 7), { kind: 'credentials_rejected' }], [403, failure(403, 4), { kind: 'credentials_rejected' }], [400, '<html></html>', { kind: 'outcome_unknown' }],
  ])('%d %j', async (status, body, expected) => {
    await expect(answering(status, body).createPayment(order)).rejects.toMatchObject(expected);
  });

  it('says how long to wait', async () => {
    await expect(answering(429, failure(429, 1), { 'retry-after': '7' }).createPayment(order)).rejects.toMatchObject({ kind: 'rate_limited', retryAfterMs: 7_000 });
  });
});

describe('a refund', () => {
  const refund = { id: 1_009_042_015, payment_id: 123_456_789_012, amount: 5, status: 'approved' };
  const asked = { attemptId: 'att_2', paymentId: 'pay_1', reference: '123456789012', amount: money(500n, 'PEN'), reason: 'duplicate' as const };
  it.each([['approved', 'succeeded'], ['in_process', 'pending'], ['rejected', 'failed'], ['cancelled', 'failed'], ['odd', 'pending']])('%s is %s', async (status, ours) => {
    expect(await answering(201, { ...refund, status }).refundPayment(asked)).toMatchObject({ status: ours, reference: '1009042015', amount: money(500n, 'PEN') });
  });

  it('of all of it goes out without an amount (3024), a part with its own', async () => {
    const bodies: (string | undefined)[] = [];
    const gateway = sending(({ body }) => {
      bodies.push(body);
      return answerOf(201, refund);
    });
    for (const isWhole of [true, false]) await gateway.refundPayment({ ...asked, isWhole });
    expect(bodies).toEqual(['{}', '{"amount":5}']);
  });

  it.each<[number, number, object]>([[404, 2032, { kind: 'outcome_unknown' }], [401, 4040, { kind: 'request_rejected', field: 'amount' }], [401, 4041, { kind: 'request_rejected', field: 'amount' }], [401, 7, { kind: 'credentials_rejected' }]])('answered %d %d is what that means (§3)', async (status, code, expected) => {
    await expect(answering(status, { message: 'no', status, cause: [{ code }] }).refundPayment(asked)).rejects.toMatchObject(expected);
  });

  it('of a payment that MercadoPago does not show yet is not done, and can be asked for again', async () => {
    await expect(answering(404, { message: 'no', status: 404, cause: [{ code: 2000 }] }).refundPayment(asked)).rejects.toMatchObject({ kind: 'payment_not_found', moneyMayHaveMoved: false });
  });

  it.each([[400, 3024, 'only all'], [404, 15016, '90 days in Peru'], [404, 2024, '180 days'], [400, 2063, 'state']])('that MercadoPago does not do is refused, with why (%d, %d)', async (status, code, reason) => {
    await expect(answering(status, { message: 'no', status, cause: [{ code }] }).refundPayment(asked)).rejects.toMatchObject({ kind: 'request_rejected', pspCode: String(code), reason: expect.stringContaining(reason) as unknown });
  });
});

describe('a refund whose reply is lost', () => {
  const sentAt = new Date('2026-11-22T15:00:00Z');
  const lost = { attemptId: 'att_2', paymentId: 'pay_1', reference: '123456789012', amount: money(500n, 'PEN'), sentAt, deadlineAt: new Date('2026-11-22T15:00:20Z'), refundedBefore: money(500n, 'PEN'), otherReferences: ['1'] };
  const refund = (id: number, status: string, changes: object = {}) => ({ id, payment_id: 123_456_789_012, amount: 5, status, date_created: '2026-11-22T11:00:01.000-04:00', ...changes });
  const find = (refunded: unknown, list: object[], changes: object = {}) =>
    sending(({ url }) => answerOf(200, url.pathname.includes('/refunds') ? list : { ...payment, transaction_amount_refunded: refunded })).findRefund({ ...lost, ...changes });
  const unknown = { kind: 'outcome_unknown' };

  it('is absent while others explain all that was given back, the panel\'s without an id here among them', async () => {
    expect(await find(5, [refund(7, 'approved')])).toBeNull();
    expect(await find(5, [])).toBeNull();
  });

  it('is the one that explains what was given back beyond that', async () => {
    expect(await find(10, [refund(1, 'approved'), refund(8, 'approved')])).toMatchObject({ status: 'succeeded', reference: '8' });
    await expect(find(10, [refund(1, 'approved')])).rejects.toMatchObject(unknown);
    await expect(find(10, [refund(1, 'approved'), refund(8, 'approved', { amount: 6 })])).rejects.toMatchObject(unknown);
    await expect(find(10, [refund(1, 'approved'), refund(8, 'approved', { payment_id: 5 })])).rejects.toMatchObject(unknown);
    await expect(find(0, [])).rejects.toMatchObject(unknown);
  });

  it('is none that was made long before ours was sent', async () => {
    const old = { date_created: '2026-11-22T09:59:00.000-04:00' };
    await expect(find(10, [refund(8, 'approved', old)])).rejects.toMatchObject(unknown);
    expect(await find(5, [refund(8, 'in_process', old)])).toBeNull();
  });

  it('is in process, which no total shows yet', async () => {
    expect(await find(5, [refund(8, 'in_process')])).toMatchObject({ status: 'pending', reference: '8' });
    expect(await find(5, [refund(1, 'in_process')])).toBeNull();
    expect(await find(10, [refund(8, 'odd')])).toMatchObject({ status: 'pending', unmapped: 'odd' });
  });

  it('was rejected only where that was made when ours was, and ours can be on its way no more', async () => {
    expect(await find(5, [refund(8, 'rejected')])).toMatchObject({ status: 'failed', reference: '8' });
    expect(await find(12, [refund(1, 'approved'), refund(8, 'rejected'), refund(9, 'approved', { amount: 7 })])).toMatchObject({ status: 'failed', reference: '8' });
    await expect(find(10, [refund(1, 'approved'), refund(8, 'rejected')])).rejects.toMatchObject(unknown);
    await expect(find(5, [refund(8, 'rejected')], { deadlineAt: new Date(Date.now() + 60_000) })).rejects.toMatchObject(unknown);
    for (const date of [null, '2026-11-22T09:59:00.000-04:00']) expect(await find(5, [refund(8, 'rejected', { date_created: date })])).toBeNull();
    expect(await find(5, [refund(1, 'rejected')])).toBeNull();
  });

  it.each([undefined, null, '5', 5.001])('is not known where the payment does not say what was given back (%j)', async (refunded) => {
    await expect(find(refunded, [])).rejects.toMatchObject(unknown);
    await expect(find(refunded, [refund(8, 'approved')])).rejects.toMatchObject(unknown);
  });

  it.each([[404, 2000], [404, 2004], [500, 1]])('is not known when the payment or its refunds cannot be read (%d %d)', async (status, code) => {
    const failure = { message: 'no', status, cause: [{ code }] };
    await expect(answering(status, failure).findRefund(lost)).rejects.toBeInstanceOf(GatewayError);
    await expect(sending(({ url }) => (url.pathname.includes('/refunds') ? answerOf(status, failure) : answerOf(200, { ...payment, transaction_amount_refunded: 5 }))).findRefund(lost)).rejects.toBeInstanceOf(GatewayError);
  });
});

describe('what is absent', () => {
  const failure = (code: number) => ({ message: 'no', error: 'not_found', status: 404, cause: [{ code }] });
  it('MercadoPago says itself; nothing behind it that did not answer', async () => {
    await expect(answering(404, failure(2000)).fetchPayment('123456789012')).rejects.toMatchObject({ kind: 'payment_not_found' });
    await expect(answering(404, '<html></html>').fetchPayment('123456789012')).rejects.toMatchObject({ kind: 'outcome_unknown' });
    for (const code of [2004, 2007]) {
      await expect(answering(404, failure(code)).fetchPayment('123456789012')).rejects.toMatchObject({ kind: 'outcome_unknown' });
      await expect(answering(404, failure(code)).deletePaymentMethod('1-abc:5:visa')).rejects.toMatchObject({ kind: 'outcome_unknown' });
    }
    await expect(answering(404, failure(2002)).deletePaymentMethod('1-abc:5:visa')).resolves.toBeUndefined();
  });
});

describe('a webhook (§7.3)', () => {
  const body = Buffer.from('{"id":120001,"live_mode":true,"type":"payment","action":"payment.updated","data":{"id":"123456789012"}}');
  const sign = (manifest: string): string => createHmac('sha256', SECRET).update(manifest).digest('hex');
  const read = (signature: string | undefined, query: Record<string, string> = { 'data.id': '123456789012', type: 'payment' }, requestId: string | undefined = 'req-1') =>
    readWebhook({ headers: { ...(signature === undefined ? {} : { 'x-signature': signature }), ...(requestId === undefined ? {} : { 'x-request-id': requestId }) }, query, body }, SECRET);
  const kindOf = (attempt: () => unknown): string => {
    try {
      attempt();
      return 'accepted';
    } catch (error) {
      return error instanceof GatewayError ? error.kind : 'failed';
    }
  };

  it.each(['1742505638683', '1742505638'])('is proven with ts in milliseconds or seconds (%s)', (ts) => {
    expect(read(`ts=${ts},v1=${sign(`id:123456789012;request-id:req-1;ts:${ts};`)}`)).toEqual({ topic: 'payment.updated', eventId: 'payment:123456789012:120001', isProven: true, ourReference: null, reference: '123456789012' });
  });

  it('is proven with its id as it was sent, or in lower case', () => {
    const query = { 'data.id': 'ORD01KX', type: 'order' };
    for (const id of ['ORD01KX', 'ord01kx']) expect(read(`ts=1,v1=${sign(`id:${id};request-id:req-1;ts:1;`)}`, query)).toMatchObject({ isProven: true, reference: 'ORD01KX' });
  });

  it('is proven without the pairs that are missing', () => {
    expect(readWebhook({ headers: { 'x-signature': `ts=1,v1=${sign('id:123456789012;ts:1;')}` }, query: { 'data.id': '123456789012', type: 'payment' }, body }, SECRET)).toMatchObject({ reference: '123456789012' });
    expect(read(`ts=1, v1=${sign('request-id:req-1;ts:1;')}`, {})).toMatchObject({ reference: null });
  });

  it('without an id of its own is told from others by what is signed', () => {
    const withoutId = (ts: string, requestId?: string) => readWebhook({
      headers: { 'x-signature': `ts=${ts},v1=${sign(`id:5;${requestId === undefined ? '' : `request-id:${requestId};`}ts:${ts};`)}`, ...(requestId === undefined ? {} : { 'x-request-id': requestId }) }, query: { 'data.id': '5', type: 'payment' }, body: Buffer.from('{"type":"payment"}'),
    }, SECRET).eventId;
    expect([withoutId('1'), withoutId('2'), withoutId('2', 'req-1')]).toEqual(['payment:5:ts1', 'payment:5:ts2', 'payment:5:req-1']);
  });

  it('says its kind in the query, in the body, or in both', () => {
    const kinds = (query: Record<string, string>, text: string) => readWebhook({ headers: { 'x-signature': `ts=1,v1=${sign('id:5;ts:1;')}` }, query: { 'data.id': '5', ...query }, body: Buffer.from(text) }, SECRET);
    expect(kinds({ type: 'payment' }, '{"action":"payment.updated"}')).toMatchObject({ topic: 'payment.updated', reference: '5' });
    expect(kinds({}, '{"type":"payment"}')).toMatchObject({ topic: 'payment', reference: '5' });
    expect(kindOf(() => kinds({}, '{"action":"payment.updated"}'))).toBe('request_rejected');
    expect(kindOf(() => kinds({ type: 'payment' }, '{}'))).toBe('request_rejected');
  });

  it('of a chargeback leads to the payment that its body names, as a hint', () => {
    for (const topic of ['topic_chargebacks_wh', 'chargebacks']) {
      const about = (text: string) => readWebhook({ headers: { 'x-signature': `ts=1,v1=${sign('id:217000061307271001;ts:1;')}` }, query: { 'data.id': '217000061307271001', type: topic }, body: Buffer.from(text) }, SECRET);
      expect(about(`{"type":"${topic}","data":{"id":217000061307271001,"payment_id":123456789012345678}}`)).toMatchObject({ reference: '123456789012345678', isProven: false });
      for (const data of ['{"id":217000061307271001}', '{"payment_id":"../x"}', '[]', 'null']) expect(about(`{"type":"${topic}","data":${data}}`)).toMatchObject({ reference: null, isProven: true });
    }
    expect(read(`ts=1,v1=${sign('id:9;request-id:req-1;ts:1;')}`, { 'data.id': '9', type: 'topic_claims_integration_wh' })).toMatchObject({ reference: null, isProven: true });
  });

  it('that people must hear of at once says so', () => {
    const about = (topic: string, action: string) => readWebhook({ headers: { 'x-signature': `ts=1,v1=${sign('id:5;ts:1;')}` }, query: { 'data.id': '5', type: topic }, body: Buffer.from(`{"type":"${topic}","action":"${action}"}`) }, SECRET);
    expect(about('stop_delivery_op_wh', 'created')).toMatchObject({ isProven: true, reference: null, alert: expect.stringContaining('fraud') as unknown });
    expect(about('mp-connect', 'application.deauthorized')).toMatchObject({ alert: expect.stringContaining('access token') as unknown });
    expect([about('mp-connect', 'application.authorized').alert, about('payment', 'payment.updated').alert]).toEqual([undefined, undefined]);
  });

  it('fetches the id that is signed, whatever the body says (B9)', () => {
    expect(read(`ts=1,v1=${sign('id:999;request-id:req-1;ts:1;')}`, { 'data.id': '999', type: 'payment' })).toMatchObject({ reference: '999' });
    expect(kindOf(() => read(`ts=1,v1=${sign('id:123456789012;request-id:req-1;ts:1;')}`, { 'data.id': '999', type: 'payment' }))).toBe('webhook_rejected');
  });

  it('is rejected with any bit of its signature changed', () => {
    const bytes = Buffer.from(sign('id:123456789012;request-id:req-1;ts:1;'), 'hex');
    const accepted = Array.from({ length: 256 }, (_, bit) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return kindOf(() => read(`ts=1,v1=${copy.toString('hex')}`));
    }).filter((kind) => kind !== 'webhook_rejected');
    expect(accepted).toEqual([]);
  });

  it.each(['', 'v1=test', 'ts=1', 'ts=1,v1=', 'ts=1,v1=zz', `ts=1,v1=${'é'.repeat(32)}`, `ts=1,ts=2,v1=${'0'.repeat(64)}`, `ts=1,v1=${'0'.repeat(64)},v1=${'0'.repeat(64)}`, `ts=x,v1=${'0'.repeat(64)}`, `ts=1;v1=${'0'.repeat(64)}`, 'x'.repeat(10_000)])(
    'with the signature %j is rejected (T1 to T3)', (signature) => { expect(kindOf(() => read(signature))).toBe('webhook_rejected'); });

  it('without a signature is rejected, unless it is an old notification, which is a hint', () => {
    expect(kindOf(() => read(undefined))).toBe('webhook_rejected');
    expect(read(undefined, { topic: 'payment', id: '123456789012' })).toMatchObject({ isProven: false, reference: '123456789012' });
    expect(read(undefined, { topic: 'merchant_order', id: '5' })).toMatchObject({ isProven: false, reference: null });
  });
});
