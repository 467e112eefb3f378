import { createHmac, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, eventually, paymentOf, readPayment, refundPayment, settled, type PaymentBody, type ProblemBody, type RefundBody } from '../support/payments.js';
import { mintMercadopagoToken, newMercadopagoAccount, putMercadopagoAccount, type MercadopagoAccount } from '../support/mercadopago.js';
import { newMerchant, startService, type Merchant, type Service } from '../support/service.js';

let service: Service;
let url: string;
let ana: Merchant;
let account: MercadopagoAccount;
beforeAll(async () => {
  service = await startService();
  await service.app.listen(0, '127.0.0.1');
  url = await service.app.getUrl();
});
afterAll(() => service.close());
beforeEach(async () => {
  ana = await newMerchant(service.ask);
  account = newMercadopagoAccount();
  await putMercadopagoAccount(service, ana, account);
  service.mercadopago.faults.clear();
  service.mercadopago.settings.change({ reviewAfterMs: 300, refundAfterMs: 5_000, refundsInProcess: false, partialRefunds: true, coversRefunds: true, lookupLagMs: 0, notifications: 'webhook', timestamps: 'milliseconds', idCase: 'as_sent' });
});

const mint = (name?: string, number?: string): Promise<string> => mintMercadopagoToken(service.mercadopago.url, account, name, number);
const methodOf = (token: string) => ({ type: 'card', tokens: { mercadopago: token }, options: { mercadopago: { paymentMethodId: 'visa' } } });
const pay = async (changes: Record<string, unknown> = {}, name?: string, number?: string) =>
  createPayment(service, ana.client, paymentOf('', { gateway: 'mercadopago', paymentMethod: methodOf(await mint(name, number)), ...changes }));
const booked = () => service.mercadopago.books.payments(account.merchant);
const listen = (changes: object = {}): void => { service.mercadopago.webhooks.change(account.merchant, { url: `${url}/webhooks/mercadopago/${ana.tenantId}`, ...changes }); };
const until = (id: string, isThere: (payment: PaymentBody) => boolean): Promise<PaymentBody> => eventually(() => readPayment(service, ana.client, id), isThere);
const ticketsOf = (id: string) => service.tables.query<{ kind: string }>(`select kind from tickets where payment_id = '${id}'`);
/** What this process has logged so far of alerts, as the log-hygiene phase will read it. */
const alerts = () => {
  const directory = process.env.LOG_CAPTURE_DIR ?? '';
  const lines = readdirSync(directory).filter((name) => name.startsWith(`${process.pid}-`)).flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'));
  return lines.filter((line) => line.includes('"alert":true')).map((line) => JSON.parse(line) as Record<string, unknown>);
};
const post = <T = PaymentBody>(path: string, body: unknown = undefined) => service.ask<T>({ method: 'POST', path, key: ana.client, body, headers: { 'idempotency-key': randomUUID() } });

describe('a card through MercadoPago', () => {
  it('is captured, in instalments, with fee and net', async () => {
    const { status, body } = await pay({ paymentMethod: { ...methodOf(await mint()), installments: 3 } });
    expect([status, body.status, body.fee, body.net]).toEqual([201, 'captured', 608, 12_292]);
    expect(body.paymentMethod).toEqual({ type: 'card', installments: 3, brand: 'visa', last4: '6176', bin: '400917', funding: 'credit' });
    expect(booked()).toMatchObject([{ external_reference: body.attempts[0]?.id, amount: 12_900, installments: 3 }]);
  });

  it.each([['FUND', 'insufficient_funds'], ['CALL', 'contact_issuer'], ['SECU', 'incorrect_cvc'], ['EXPI', 'expired_card'], ['OTHE', 'card_declined'], ['LOCK', 'contact_issuer'], ['BLAC', 'fraud_suspected']])('of %s is declined as %s', async (name, code) => {
    expect((await pay({}, name)).body).toMatchObject({ status: 'failed', failure: { code } });
  });

  it('of CONT is reviewed, and captured when the review ends', async () => {
    const { body } = await pay({}, 'CONT');
    expect(body).toMatchObject({ status: 'processing', processingReason: 'pending_at_gateway' });
    expect(await settled(service, ana.client, body.id)).toMatchObject({ status: 'captured' });
  });

  it('needs its brand', async () => {
    const { status, body } = await pay({ paymentMethod: { type: 'card', tokens: { mercadopago: await mint() } } });
    expect([status, (body as unknown as ProblemBody).errors?.map(({ field }) => field)]).toEqual([422, ['paymentMethod.options.mercadopago.paymentMethodId']]);
  });

  it('confirmed later keeps what was said to MercadoPago, and shows it to nobody', async () => {
    const { body } = await pay({ confirm: false });
    expect(body.paymentMethod).toEqual({ type: 'card', installments: 1 });
    expect((await post(`/v1/payments/${body.id}/confirm`, {})).body).toMatchObject({ status: 'captured' });
  });

  it('in another currency than the account\'s goes to people: never a success', async () => {
    expect((await pay({ currency: 'MXN' })).body).toMatchObject({ status: 'needs_review', amountCaptured: 0 });
  });

  it.each(['reset_after_booking', 'hang_after_booking', 'error_after_booking', 'truncated_body', 'html_body'] as const)('whose reply is lost by %s is found by our reference, and charged once', async (kind) => {
    service.mercadopago.faults.add({ route: 'POST /v1/payments', kind });
    const { body } = await pay();
    expect(body.status).toBe('processing');
    expect(await settled(service, ana.client, body.id)).toMatchObject({ status: 'captured' });
    expect(booked()).toHaveLength(1);
  });
});

describe('an error after which nobody knows', () => {
  const failure = (status: number, ...codes: number[]) => ({ status, body: { message: 'no', error: 'bad_request', status, cause: codes.map((code) => ({ code, description: 'no', data: null })) } });
  it.each<[string, { status: number; body: Record<string, unknown> }]>([
    ['400 2001', failure(400, 2001)], ['404 2004', failure(404, 2004)], ['400 2062, 2007', failure(400, 2062, 2007)], ['409 401001', { status: 409, body: { code: '401001', message: 'The process has not been completed yet.' } }], ['423', failure(423, 1)],
  ])('(%s) of a payment that was booked leaves it processing until it is found', async (_what, changes) => {
    service.mercadopago.faults.add({ route: 'POST /v1/payments', kind: 'error_after_booking', changes: changes as never });
    const { body } = await pay();
    expect(body.status).toBe('processing');
    expect(await settled(service, ana.client, body.id)).toMatchObject({ status: 'captured' });
    expect(booked()).toHaveLength(1);
  });
});

describe('reserved money', () => {
  it('is captured, or released', async () => {
    const [first, second] = [await pay({ captureMethod: 'manual' }), await pay({ captureMethod: 'manual' })];
    expect([first.body.status, second.body.status]).toEqual(['authorized', 'authorized']);
    expect((await post(`/v1/payments/${first.body.id}/capture`, {})).body).toMatchObject({ status: 'captured', amountCaptured: 12_900 });
    expect((await post(`/v1/payments/${second.body.id}/void`)).body).toMatchObject({ status: 'voided' });
    expect(booked().map(({ status, status_detail: detail }) => [status, detail])).toEqual([['approved', 'accredited'], ['cancelled', 'by_collector']]);
  });
});

describe('a challenge', () => {
  it.each([['5483928164574623', 'captured', null], ['5361956806117557', 'failed', 'authentication_failed']])('of %s ends by webhook as %s', async (number, status, code) => {
    listen();
    const { body } = await pay({}, 'APRO', number);
    expect(body).toMatchObject({ status: 'requires_action', nextAction: { type: 'three_ds', gateway: 'mercadopago', url: expect.stringContaining('/challenge/') as unknown } });
    const refused = await post<ProblemBody>(`/v1/payments/${body.id}/authentication`, { eci: '05', xid: 'x', cavv: 'c', protocolVersion: '2.2.0', directoryServerTransactionId: 'd' });
    expect([refused.status, refused.body.code]).toEqual([409, 'invalid_state']);
    service.mercadopago.panel.challenge(Number(body.gatewayReference));
    expect(await until(body.id, (payment) => payment.status === status)).toMatchObject({ status, ...(code === null ? {} : { failure: { code } }) });
  });
});

describe('a challenge that nobody tells us of', () => {
  it.each([['5483928164574623', 'captured'], ['5361956806117557', 'failed']])('of %s is seen to be over by look-ups alone: %s', async (number, status) => {
    const { body } = await pay({}, 'APRO', number);
    service.mercadopago.panel.challenge(Number(body.gatewayReference));
    expect(await until(body.id, (payment) => payment.status === status)).toMatchObject({ status });
    expect((await service.ask<{ data: unknown[] }>({ path: '/v1/webhook-events', key: ana.operator })).body.data).toEqual([]);
  });
});

describe('a review of a card that is to be captured later', () => {
  it('ends with reserved money', async () => {
    const { body } = await pay({ captureMethod: 'manual' }, 'CONT');
    expect(body).toMatchObject({ status: 'processing' });
    expect(await until(body.id, ({ status }) => status === 'authorized')).toMatchObject({ status: 'authorized', amountCaptured: 0 });
  });
});

describe('test credentials', () => {
  const withTestToken = (environment: 'sandbox' | 'production') => putMercadopagoAccount(service, ana, { ...account, accessToken: `TEST-sec-${account.suffix}` }, { environment });

  it('in an account of production take no money: people hear of it', async () => {
    expect((await withTestToken('production')).status).toBe(200);
    const { body } = await pay();
    expect(body).toMatchObject({ status: 'processing', processingReason: 'pending_at_gateway', amountCaptured: 0 });
    expect(await ticketsOf(body.id)).toEqual([{ kind: 'unmapped_status' }]);
  });

  it('in an account for trying are as good as others', async () => {
    await withTestToken('sandbox');
    expect((await pay()).body).toMatchObject({ status: 'captured' });
  });
});

describe('Yape and vouchers', () => {
  it.each([['111111111', 'captured', null], ['111111112', 'failed', 'contact_issuer'], ['111111113', 'failed', 'limit_exceeded'], ['111111117', 'failed', 'incorrect_cvc']])('Yape from %s is %s', async (phone, status, code) => {
    const response = await fetch(`${service.mercadopago.url}/platforms/pci/yape/v1/payment?public_key=${account.publicKey}`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ phoneNumber: phone, otp: '123456', requestId: randomUUID() }),
    });
    const { id: token } = await response.json() as { id: string };
    const { body } = await createPayment(service, ana.client, paymentOf('', { gateway: 'mercadopago', paymentMethod: { type: 'yape', tokens: { mercadopago: token } } }));
    expect(body).toMatchObject({ status, paymentMethod: { type: 'yape' }, ...(code === null ? {} : { failure: { code } }) });
  });

  const voucher = () => createPayment(service, ana.client, paymentOf('', { gateway: 'mercadopago', paymentMethod: { type: 'cash_voucher' } }));

  it('a voucher waits with its code, and is captured when it is paid', async () => {
    listen();
    const { body } = await voucher();
    expect(body).toMatchObject({ status: 'requires_action', nextAction: { type: 'pay_code', gateway: 'mercadopago', url: expect.stringContaining('ticket') as unknown, code: expect.any(String) as unknown } });
    service.mercadopago.panel.approve(Number(body.gatewayReference));
    expect(await until(body.id, ({ status }) => status === 'captured')).toMatchObject({ status: 'captured', nextAction: null });
  });

  it('a voucher is taken back at MercadoPago, as it could be paid at any moment', async () => {
    const { body } = await voucher();
    expect(await post(`/v1/payments/${body.id}/void`)).toMatchObject({ status: 200, body: { status: 'voided', nextAction: null, attempts: [{ operation: 'authorize' }, { operation: 'void', status: 'succeeded' }] } });
    expect(booked()).toMatchObject([{ status: 'cancelled' }]);
  });

  it('a voucher that was paid before it could be taken back is captured', async () => {
    const { body } = await voucher();
    service.mercadopago.panel.approve(Number(body.gatewayReference));
    expect(await post(`/v1/payments/${body.id}/void`)).toMatchObject({ status: 200, body: { status: 'captured', amountCaptured: 12_900, attempts: [{ operation: 'authorize' }, { operation: 'void', status: 'failed' }] } });
  });

  it.each([['reset_after_booking', 'voided', 'succeeded'], ['reset_before_booking', 'requires_action', 'failed']] as const)('a voucher whose taking back is lost by %s is %s', async (kind, status, outcome) => {
    const { body } = await voucher();
    service.mercadopago.faults.add({ route: 'PUT /v1/payments/:id', kind });
    expect((await post(`/v1/payments/${body.id}/void`)).body).toMatchObject({ status: 'requires_action', pendingOperation: 'void' });
    const over = await until(body.id, (shown) => (shown as unknown as { pendingOperation: string | null }).pendingOperation === null);
    expect(over.status).toBe(status);
    expect(over.attempts.at(-1)).toMatchObject({ operation: 'void', status: outcome });
  });

  it('a voucher that nobody pays expires when MercadoPago says so', async () => {
    const { body } = await voucher();
    service.mercadopago.panel.expire(Number(body.gatewayReference));
    expect(await until(body.id, ({ status }) => status === 'expired')).toMatchObject({ status: 'expired', failure: { code: 'expired' } });
  });
});

describe('a refund', () => {
  const ended = (id: string): Promise<RefundBody> => eventually(async () => (await service.ask<RefundBody>({ path: `/v1/refunds/${id}`, key: ana.client })).body, ({ status }) => status !== 'submitted');

  it.each([false, true])('is done, at once or later (in_process: %s)', async (refundsInProcess) => {
    service.mercadopago.settings.change({ refundsInProcess });
    const { body } = await pay();
    const refund = await refundPayment(service, ana.client, body.id, { amount: 2_900 });
    expect(refund.body.status).toBe(refundsInProcess ? 'submitted' : 'succeeded');
    expect(await ended(refund.body.id)).toMatchObject({ status: 'succeeded' });
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ amountRefunded: 2_900 });
  });

  it('whose reply is lost is done once', async () => {
    const { body } = await pay();
    service.mercadopago.faults.add({ route: 'POST /v1/payments/:id/refunds', kind: 'reset_after_booking' });
    const refund = await refundPayment(service, ana.client, body.id, { amount: 2_900 });
    expect(refund.body.status).toBe('submitted');
    expect(await ended(refund.body.id)).toMatchObject({ status: 'succeeded' });
    expect(booked()[0]?.refunds).toMatchObject([{ amount: 2_900 }]);
  });

  it('whose reply is lost, after one of the same amount in the panel, is sent again and booked once', async () => {
    listen();
    const { body } = await pay();
    service.mercadopago.panel.refund(Number(body.gatewayReference), 500);
    expect(await until(body.id, ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 500, refunds: [{ origin: 'gateway' }] });
    service.mercadopago.faults.add({ route: 'POST /v1/payments/:id/refunds', kind: 'reset_before_booking' });
    const refund = await refundPayment(service, ana.client, body.id, { amount: 500 });
    expect(refund.body.status).toBe('submitted');
    expect(await ended(refund.body.id)).toMatchObject({ status: 'succeeded' });
    expect(booked()[0]?.refunds).toMatchObject([{ amount: 500, status: 'approved' }, { amount: 500, status: 'approved' }]);
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ amountRefunded: 1_000, amountRefundPending: 0 });
  });

  it('that MercadoPago rejects has failed: at once, when its reply is lost, or when it was in process', async () => {
    service.mercadopago.settings.change({ coversRefunds: false });
    const { body } = await pay();
    expect((await refundPayment(service, ana.client, body.id, { amount: 400 })).body).toMatchObject({ status: 'failed', failure: { pspCode: 'rejected' } });
    service.mercadopago.faults.add({ route: 'POST /v1/payments/:id/refunds', kind: 'reset_after_booking' });
    const lost = await refundPayment(service, ana.client, body.id, { amount: 500 });
    expect(lost.body.status).toBe('submitted');
    expect(await ended(lost.body.id)).toMatchObject({ status: 'failed', failure: { pspCode: 'rejected' } });
    service.mercadopago.settings.change({ refundsInProcess: true, refundAfterMs: null });
    const taken = await refundPayment(service, ana.client, body.id, { amount: 600 });
    expect(taken.body.status).toBe('submitted');
    service.mercadopago.panel.endRefund(Number(body.gatewayReference), booked()[0]?.refunds.at(-1)?.id ?? 0, 'rejected');
    expect(await ended(taken.body.id)).toMatchObject({ status: 'failed', failure: { pspCode: 'rejected' } });
    expect(booked()[0]?.refunds.map(({ amount, status }) => [amount, status])).toEqual([[400, 'rejected'], [500, 'rejected'], [600, 'rejected']]);
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ amountRefunded: 0, amountRefundPending: 0 });
  });

  it('of all of it is taken where no part is (3024)', async () => {
    service.mercadopago.settings.change({ partialRefunds: false });
    const { body } = await pay();
    expect((await refundPayment(service, ana.client, body.id, { amount: 500 })).body).toMatchObject({ status: 'failed', failure: { pspCode: '3024' } });
    expect((await refundPayment(service, ana.client, body.id)).body).toMatchObject({ status: 'succeeded', amount: 12_900 });
    expect(booked()[0]).toMatchObject({ status: 'refunded' });
  });

  it('that MercadoPago says not to find (2032) is looked for', async () => {
    const { body } = await pay();
    service.mercadopago.faults.add({ route: 'POST /v1/payments/:id/refunds', kind: 'error_after_booking', changes: { status: 404, body: { message: 'no', error: 'not_found', status: 404, cause: [{ code: 2032, description: 'no' }] } } });
    const refund = await refundPayment(service, ana.client, body.id, { amount: 500 });
    expect(refund.body.status).toBe('submitted');
    expect(await ended(refund.body.id)).toMatchObject({ status: 'succeeded' });
    expect(booked()[0]?.refunds).toHaveLength(1);
  });

  /** What the buyer has back of the one payment, by MercadoPago's books. A chargeback is of all of it. */
  const backInBooks = (): number => booked().flatMap(({ amount, status, refunds }) => [status === 'charged_back' ? amount : 0, ...refunds.filter((refund) => refund.status === 'approved').map((refund) => refund.amount)]).reduce((sum, amount) => sum + amount, 0);

  it.each([['rejected', 'failed', 0], ['approved', 'succeeded', 12_900]] as const)('in process when a chargeback comes, and %s then, gives back no more than was taken (E10)', async (end, status, amountRefunded) => {
    listen();
    service.mercadopago.settings.change({ refundsInProcess: true, refundAfterMs: null });
    const { body } = await pay();
    const refund = await refundPayment(service, ana.client, body.id);
    expect(refund).toMatchObject({ status: 201, body: { status: 'submitted', amount: 12_900 } });
    service.mercadopago.panel.chargeBack(Number(body.gatewayReference));
    expect(await eventually(() => ticketsOf(body.id), (found) => found.length > 0)).toEqual([{ kind: 'chargeback' }]);
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ status: 'captured', amountRefunded: 0, amountRefundPending: 12_900, refunds: [{ status: 'submitted' }] });
    expect(await post(`/v1/payments/${body.id}/refunds`, {})).toMatchObject({ status: 422, body: { code: 'refund_exceeds_captured' } });

    service.mercadopago.panel.endRefund(Number(body.gatewayReference), booked()[0]?.refunds[0]?.id ?? 0, end);
    expect(await ended(refund.body.id)).toMatchObject({ status });
    const synced = await service.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${body.id}/sync`, key: ana.operator });
    expect(synced.body).toMatchObject({ status: 'captured', amountCaptured: 12_900, amountRefunded, amountRefundPending: 0, refunds: [{ status, origin: 'api' }] });
    expect(backInBooks()).toBe(12_900);
  });

  it('after a chargeback that is known fails, is asked for once, and gives nothing back (E10)', async () => {
    listen();
    const { body } = await pay();
    service.mercadopago.panel.chargeBack(Number(body.gatewayReference));
    expect(await eventually(() => ticketsOf(body.id), (found) => found.length > 0)).toEqual([{ kind: 'chargeback' }]);
    expect(await refundPayment(service, ana.client, body.id)).toMatchObject({ status: 201, body: { status: 'failed', failure: { pspCode: '2063' } } });
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ status: 'captured', amountRefunded: 0, amountRefundPending: 0, refunds: [{ status: 'failed' }] });
    expect(service.mercadopago.books.requests(account.merchant).filter(({ method, path }) => method === 'POST' && path.endsWith('/refunds'))).toHaveLength(1);
    expect(backInBooks()).toBe(12_900);
  });

  it('in the panel becomes one of origin gateway, by webhook', async () => {
    listen();
    const { body } = await pay();
    service.mercadopago.panel.refund(Number(body.gatewayReference), 1_000);
    expect(await until(body.id, ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 1_000, refunds: [{ origin: 'gateway' }] });
  });
});

describe('a webhook of MercadoPago', () => {
  const statuses = async () => (await service.ask<{ data: { status: string; proven: boolean; type: string; deliveries: number }[] }>({ path: '/v1/webhook-events', key: ana.operator })).body.data;

  it.each([['seconds', 'as_sent'], ['milliseconds', 'lower']] as const)('signed with %s and its id %s is proven', async (timestamps, idCase) => {
    service.mercadopago.settings.change({ timestamps, idCase });
    listen();
    await pay();
    expect(await eventually(statuses, (found) => found.some(({ status }) => status === 'processed'))).toMatchObject([{ proven: true, status: 'processed', type: 'payment.created' }]);
  });

  it('of the old kind is a hint: the payment that it names is asked about', async () => {
    service.mercadopago.settings.change({ notifications: 'ipn' });
    const { body } = await pay();
    listen();
    service.mercadopago.panel.refund(Number(body.gatewayReference), 500);
    expect(await until(body.id, ({ refunds }) => refunds.length > 0)).toMatchObject({ amountRefunded: 500 });
    expect(await statuses()).toMatchObject([{ proven: false }]);
  });

  it('of the old kind looks like the one before it, and is a reason to ask all the same', async () => {
    service.mercadopago.settings.change({ notifications: 'ipn' });
    const { body } = await pay();
    listen();
    for (const [amount, total] of [[500, 500], [300, 800]] as const) {
      service.mercadopago.panel.refund(Number(body.gatewayReference), amount);
      expect(await until(body.id, ({ amountRefunded }) => amountRefunded === total)).toMatchObject({ amountRefunded: total });
      await eventually(statuses, (found) => found.every(({ status }) => status === 'processed'));
    }
    expect(await statuses()).toMatchObject([{ proven: false, deliveries: 2, status: 'processed' }]);
  });

  it('of a chargeback, though it names none of ours, leads to its payment: a ticket, and no money moves', async () => {
    const { body } = await pay();
    // What the payment itself says of it is lost.
    listen({ lost: 1 });
    service.mercadopago.panel.chargeBack(Number(body.gatewayReference));
    expect(await eventually(() => ticketsOf(body.id), (found) => found.length > 0)).toEqual([{ kind: 'chargeback' }]);
    expect(await statuses()).toMatchObject([{ type: 'topic_chargebacks_wh', proven: false }]);
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900, amountRefunded: 0 });
  });

  const signed = (topic: string, id: string, action: string, secret = account.webhookSecret) => {
    const v1 = createHmac('sha256', secret).update(`id:${id};request-id:req-1;ts:1;`).digest('hex');
    return service.ask({ method: 'POST', path: `/webhooks/mercadopago/${ana.tenantId}?data.id=${id}&type=${topic}`, headers: { 'x-signature': `ts=1,v1=${v1}`, 'x-request-id': 'req-1' }, body: { type: topic, action, data: { id } } });
  };

  it('of a kind that we know nothing of is stored, and acknowledged', async () => {
    expect((await signed('topic_card_id_wh', '123', 'card.updated')).status).toBe(200);
    expect(await statuses()).toMatchObject([{ type: 'card.updated', status: 'ignored', proven: true }]);
  });

  it.each([['stop_delivery_op_wh', 'created'], ['mp-connect', 'application.deauthorized']])('of %s raises an alert, once', async (topic, action) => {
    for (let i = 0; i < 2; i++) expect((await signed(topic, '123', action)).status).toBe(200);
    expect(alerts().filter(({ tenantId }) => tenantId === ana.tenantId)).toMatchObject([{ gateway: 'mercadopago', level: 'error' }]);
  });

  it('is proven by the secret of now and by the one before', async () => {
    const before = account.webhookSecret;
    const now = `${before}-new`;
    await putMercadopagoAccount(service, ana, { ...account, webhookSecret: now });
    for (const secret of [before, now]) expect((await signed('payment', secret === now ? '1' : '2', 'payment.updated', secret)).status).toBe(200);
    expect((await signed('payment', '3', 'payment.updated', `${before}-other`)).status).toBe(401);
    expect((await statuses()).map(({ proven }) => proven)).toEqual([true, true]);
  });

  it('that is sent again, at once or days later, has its effect once (B8)', async () => {
    const { body } = await pay({ captureMethod: 'manual' });
    const id = body.gatewayReference ?? '';
    const post = (ts: number) => {
      const v1 = createHmac('sha256', account.webhookSecret).update(`id:${id};request-id:req-1;ts:${ts};`).digest('hex');
      return service.ask({
        method: 'POST', path: `/webhooks/mercadopago/${ana.tenantId}?data.id=${id}&type=payment`, headers: { 'x-signature': `ts=${ts},v1=${v1}`, 'x-request-id': 'req-1' }, body: { id: 120_001, type: 'payment', action: 'payment.updated', data: { id } },
      });
    };
    service.mercadopago.panel.approve(Number(id));
    // Old ones are taken too: MercadoPago repeats for days, and what counts is asked anew.
    const days = [0, 0, 4, 400];
    for (const ago of days) expect((await post(Date.now() - ago * 86_400_000)).status).toBe(200);
    expect(await until(body.id, ({ status }) => status === 'captured')).toMatchObject({ status: 'captured' });
    const found = (await service.ask<{ data: { deliveries: number }[] }>({ path: '/v1/webhook-events', key: ana.operator })).body.data;
    expect(found.map(({ deliveries }) => deliveries)).toEqual([days.length]);
    expect(await service.tables.query(`select to_status from payment_transitions where payment_id = '${body.id}' and to_status = 'captured'`)).toHaveLength(1);
  });

  it('with another secret is refused', async () => {
    service.mercadopago.settings.change({ webhookSecrets: { [account.merchant]: 'whsec-of-somebody' } });
    listen();
    await pay();
    const sent = await eventually(() => service.mercadopago.webhooks.sent(account.merchant), (found) => found.length > 0);
    expect(sent[0]?.status).toBe(401);
    expect(await statuses()).toEqual([]);
  });
});

describe('an answer that is not what was asked', () => {
  it.each([['transaction_amount', 129.01], ['currency_id', 'USD'], ['external_reference', 'att_00000000000000000000000000'], ['external_reference', null]])('with another %s is never a success: people look at it (A11)', async (member, value) => {
    service.mercadopago.faults.add({ route: 'POST /v1/payments', kind: 'wrong_answer', changes: { [member]: value } });
    service.mercadopago.faults.add({ route: 'GET /v1/payments/:id', kind: 'wrong_answer', times: 50, changes: { [member]: value } });
    const { body } = await pay();
    expect(await until(body.id, ({ status }) => status === 'needs_review')).toMatchObject({ status: 'needs_review', amountCaptured: 0 });
    expect(await service.tables.query(`select kind from tickets where payment_id = '${body.id}'`)).toEqual([{ kind: 'mismatch' }]);
  });

  it('with an unknown word stays pending, with a ticket (A12)', async () => {
    service.mercadopago.faults.add({ route: 'POST /v1/payments', kind: 'wrong_answer', changes: { status: 'in_mediation' } });
    const { body } = await pay();
    expect(body).toMatchObject({ status: 'processing', processingReason: 'pending_at_gateway', amountCaptured: 0 });
    expect(await settled(service, ana.client, body.id)).toMatchObject({ status: 'captured' });
    expect(await service.tables.query(`select kind from tickets where payment_id = '${body.id}'`)).toEqual([{ kind: 'unmapped_status' }]);
  });

  it('that stays pending for long ends when MercadoPago ends it, either way (A14)', async () => {
    service.mercadopago.settings.change({ reviewAfterMs: null });
    const [approved, rejected] = [await pay({}, 'CONT'), await pay({}, 'CONT')];
    await eventually(() => service.tables.query<{ look_ups: number }>(`select look_ups from payment_attempts where payment_id = '${approved.body.id}'`), ([row]) => (row?.look_ups ?? 0) >= 2);
    expect((await readPayment(service, ana.client, approved.body.id)).status).toBe('processing');
    service.mercadopago.panel.approve(Number(approved.body.gatewayReference));
    service.mercadopago.panel.reject(Number(rejected.body.gatewayReference), 'cc_rejected_high_risk');
    expect(await settled(service, ana.client, approved.body.id)).toMatchObject({ status: 'captured' });
    expect(await settled(service, ana.client, rejected.body.id)).toMatchObject({ status: 'failed', failure: { code: 'fraud_suspected' } });
  });

  it('that shows less than was known moves nothing (A16)', async () => {
    const { body } = await pay();
    service.mercadopago.faults.add({ route: 'GET /v1/payments/:id', kind: 'wrong_answer', times: 2, changes: { status: 'pending', status_detail: 'pending_contingency' } });
    for (let i = 0; i < 2; i++) await service.ask({ method: 'POST', path: `/v1/payments/${body.id}/sync`, key: ana.operator });
    expect(await readPayment(service, ana.client, body.id)).toMatchObject({ status: 'captured', version: body.version });
  });
});

describe('keys that MercadoPago does not take', () => {
  it('fail the payment as misconfigured, with an alert; a refusal for now fails it as unavailable (A8)', async () => {
    service.mercadopago.faults.add({ route: 'POST /v1/payments', kind: 'rate_limited' });
    expect((await pay()).body).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable' } });
    await putMercadopagoAccount(service, ana, { ...account, accessToken: `nothing-${account.suffix}` });
    const refused = () => alerts().filter(({ kind }) => kind === 'credentials_rejected');
    const before = refused().length;
    expect((await pay()).body).toMatchObject({ status: 'failed', failure: { code: 'gateway_misconfigured', pspCode: '7' } });
    expect(refused().slice(before)).toMatchObject([{ gateway: 'mercadopago', kind: 'credentials_rejected', pspCode: '7' }]);
    expect(booked()).toEqual([]);
  });
});

describe('four webhooks of one payment', () => {
  const ACTIONS = ['payment.created', 'payment.updated', 'payment.refunded_partially', 'ipn'] as const;
  type Action = typeof ACTIONS[number];
  const ordersOf = (actions: readonly Action[]): Action[][] => (actions.length === 0 ? [[]] : actions.flatMap((first) => ordersOf(actions.filter((other) => other !== first)).map((rest) => [first, ...rest])));
  /** As MercadoPago signs (psp/mercadopago.md §7.3), written here once more. */
  const deliver = (action: Action, id: string) => {
    if (action === 'ipn') return service.ask({ method: 'POST', path: `/webhooks/mercadopago/${ana.tenantId}?topic=payment&id=${id}`, body: { resource: id, topic: 'payment' } });
    const [requestId, ts] = [randomUUID(), String(Date.now())];
    const v1 = createHmac('sha256', account.webhookSecret).update(`id:${id};request-id:${requestId};ts:${ts};`).digest('hex');
    return service.ask({
      method: 'POST', path: `/webhooks/mercadopago/${ana.tenantId}?data.id=${id}&type=payment`, headers: { 'x-signature': `ts=${ts},v1=${v1}`, 'x-request-id': requestId },
      body: { id: Number(`${id}${ACTIONS.indexOf(action)}`), live_mode: true, type: 'payment', action, data: { id } },
    });
  };

  it('in each of their 24 orders, while it is captured and refunded in part, end in the same', async () => {
    const orders = ordersOf(ACTIONS);
    expect(orders).toHaveLength(24);
    const ends = await Promise.all(orders.map(async ([first, second, third, fourth]) => {
      const { body } = await pay({ captureMethod: 'manual' });
      const reference = (await until(body.id, (shown) => shown.status === 'authorized')).gatewayReference ?? '';
      const answers = [await deliver(first ?? 'ipn', reference)];
      await post(`/v1/payments/${body.id}/capture`);
      answers.push(await deliver(second ?? 'ipn', reference));
      service.mercadopago.panel.refund(Number(reference), 500);
      answers.push(await deliver(third ?? 'ipn', reference), await deliver(fourth ?? 'ipn', reference));
      const { status, amountCaptured, refunds, attempts } = await until(body.id, (shown) => shown.status === 'captured' && shown.refunds.length > 0);
      return { heard: answers.map((answer) => answer.status), status, amountCaptured, refunds: refunds.map(({ amount, origin }) => [amount, origin]), attempts: attempts.map(({ operation, status: end }) => [operation, end]) };
    }));
    const end = { heard: [200, 200, 200, 200], status: 'captured', amountCaptured: 12_900, refunds: [[500, 'gateway']], attempts: [['authorize', 'succeeded'], ['capture', 'succeeded']] };
    expect(ends).toEqual(orders.map(() => end));
    expect(await service.tables.query(`select kind from tickets where tenant_id = '${ana.tenantId}'`)).toEqual([]);
  });
});
