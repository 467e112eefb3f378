import { describe, expect, it } from '@jest/globals';
import { systemClock, TimeWindow } from '../../shared/clock.js';
import { money } from '../../shared/money.js';
import type { HttpRequest, RefundOrder, RefundReference, RefundSnapshot } from '../contract/payment-gateway.js';
import { PixelpayGateway } from './pixelpay.gateway.js';

const KEY = 'pk_live_emul0001';
const ID = 'txn_pixel_000042';
const amount = money(4_900n, 'DOP');
const order: RefundOrder = { attemptId: 'att_2', paymentId: 'pay_1', reference: ID, amount, reason: 'requested_by_customer' };
const attempt: RefundReference = { attemptId: 'att_2', paymentId: 'pay_1', reference: ID, amount, sentAt: new Date(), deadlineAt: new Date(), refundedBefore: money(0n, 'DOP'), otherReferences: [] };

function answering(status: number, body: unknown): { gateway: PixelpayGateway; requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  const gateway = new PixelpayGateway({
    credentials: { apiKey: KEY, publicKey: 'pub_emul0001', webhookSecret: 'whsec_emulator_0001' }, environment: 'production', settings: {}, hosts: { api: new URL('http://pixelpay.example') },
    send: (request) => { requests.push(request); return Promise.resolve({ status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) }); },
    window: TimeWindow.open(systemClock, 1_000), now: () => new Date(),
  });
  return { gateway, requests };
}
const refund = (status: number, body: unknown): Promise<RefundSnapshot> => answering(status, body).gateway.refundPayment(order);
const find = (status: number, body: unknown): Promise<RefundSnapshot | null> => answering(status, body).gateway.findRefund(attempt);
const failure = (status: string): object => ({ status, error_code: status, error_message: 'no' });
const taken = { status: 'pending', refund_id: 'att_2', txn_id: ID };
const stored = { refund_id: 'att_2', txn_id: ID, amount: 4_900, status: 'completed' };

describe('a refund', () => {
  it('goes out once, with the attempt for its id and its amount in minor units', async () => {
    const { gateway, requests } = answering(200, taken);
    expect(await gateway.refundPayment(order)).toMatchObject({ status: 'pending', reference: 'att_2', amount: null, pspCode: 'pending' });
    expect(requests).toMatchObject([{ method: 'POST', url: new URL(`http://pixelpay.example/v2/payments/${ID}/refunds`), body: `{"api_key":"${KEY}","amount":4900,"refund_id":"att_2"}` }]);
  });

  it('answered with any other word than pending waits, and carries the word', async () => {
    expect(await refund(200, { ...taken, status: 'done' })).toMatchObject({ status: 'pending', unmapped: 'done' });
    expect(await refund(200, { ...taken, status: 'completed' })).toMatchObject({ status: 'pending', unmapped: 'completed' });
  });

  it('refused with 402 has failed', async () => {
    expect(await refund(402, failure('declined'))).toMatchObject({ status: 'failed', message: 'no', pspCode: 'declined', reference: null });
  });

  it.each<[number, unknown, object]>([
    [422, failure('invalid_amount'), { kind: 'request_rejected', field: 'amount' }], [404, failure('not_found'), { kind: 'payment_not_found', moneyMayHaveMoved: false }], [401, failure('api_key_invalid'), { kind: 'credentials_rejected' }],
    [429, failure('rate_limit'), { kind: 'rate_limited', retryAfterMs: 60_000 }], [502, failure('network_error'), { kind: 'outcome_unknown' }], [500, '', { kind: 'outcome_unknown' }], [404, '<html>', { kind: 'outcome_unknown' }],
    [402, failure('success'), { kind: 'outcome_unknown' }], [402, '', { kind: 'outcome_unknown' }], [200, '', { kind: 'outcome_unknown' }], [200, { status: 'pending' }, { kind: 'outcome_unknown' }], [409, failure('conflict'), { kind: 'outcome_unknown' }],
    [200, { ...taken, refund_id: 'att_3' }, { kind: 'outcome_unknown' }], [200, { ...taken, txn_id: 'txn_other' }, { kind: 'outcome_unknown' }],
  ])('answered with %i %j', async (status, body, expected) => {
    await expect(refund(status, body)).rejects.toMatchObject(expected);
  });
});

describe('the search for a refund', () => {
  it('asks under the payment, by our id, with the key in a header only', async () => {
    const { gateway, requests } = answering(200, stored);
    await gateway.findRefund(attempt);
    expect(requests).toMatchObject([{ method: 'GET', url: new URL(`http://pixelpay.example/v2/payments/${ID}/refunds/att_2`), headers: { 'x-api-key': KEY } }]);
    expect(requests[0]?.body).toBeUndefined();
  });

  it.each<[string, object]>([
    ['completed', { status: 'succeeded' }], ['pending', { status: 'pending' }], ['failed', { status: 'failed' }], ['reversed', { status: 'pending', unmapped: 'reversed' }], ['constructor', { status: 'pending', unmapped: 'constructor' }],
  ])('that finds it %s', async (word, expected) => {
    expect(await find(200, { ...stored, status: word })).toMatchObject({ ...expected, reference: 'att_2', amount, pspCode: word });
  });

  it('finds nothing where PixelPay knows none', async () => {
    expect(await find(404, failure('not_found'))).toBeNull();
  });

  it.each<[string, number, unknown, string]>([
    ['a 404 of a proxy', 404, '<html>', 'outcome_unknown'], ['another refund', 200, { ...stored, refund_id: 'att_3' }, 'outcome_unknown'], ['a refund of another payment', 200, { ...stored, txn_id: 'txn_other' }, 'outcome_unknown'],
    ['an amount that is none', 200, { ...stored, amount: 49.5 }, 'outcome_unknown'], ['a server that fails', 500, '', 'outcome_unknown'], ['keys that are not accepted', 401, '', 'credentials_rejected'],
  ])('that meets %s shows nothing', async (_what, status, body, kind) => {
    await expect(find(status, body)).rejects.toMatchObject({ kind });
  });

  it('never puts a strange id into an address', async () => {
    const { gateway, requests } = answering(200, stored);
    await expect(Promise.resolve().then(() => gateway.findRefund({ ...attempt, attemptId: 'att_2/../..' }))).rejects.toMatchObject({ kind: 'request_rejected' });
    expect(requests).toEqual([]);
  });
});
