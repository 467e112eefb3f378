import { describe, expect, it } from '@jest/globals';
import { systemClock, TimeWindow } from '../../shared/clock.js';
import { money } from '../../shared/money.js';
import { GatewayError } from '../contract/gateway-error.js';
import type { HttpAnswer, HttpRequest, PaymentOrder, SendHttp } from '../contract/payment-gateway.js';
import { CulqiGateway } from './culqi.gateway.js';
import { DECLINE_CODES, OUTCOME_CODES } from './culqi.mapping.js';

const NOW = new Date('2026-11-24T00:00:00Z');
const TOKEN = 'tkn_test_Qa1Zx9Wv7Bn3Lk5M';
const SECRET = 'sk_test_Secret1Secret2';

function gatewayOver(send: SendHttp): CulqiGateway {
  return new CulqiGateway({
    credentials: { publicKey: 'pk_test_Secret1Secret2', secretKey: SECRET }, environment: 'sandbox', settings: {}, hosts: { api: new URL('http://culqi.example') },
    send, window: TimeWindow.open(systemClock, 1_000), now: () => NOW,
  });
}

const answer = (status: number, body: unknown, headers = {}): SendHttp =>
  () => Promise.resolve<HttpAnswer>({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

const order: PaymentOrder = {
  attemptId: 'att_1', paymentId: 'pay_1', amount: money(2_000n, 'PEN'), capture: 'automatic', method: { type: 'card', token: TOKEN, installments: 1 },
  description: 'Pedido 7001', customer: { email: 'ana@ejemplo.pe', firstName: 'Ana', lastName: 'Rojas' },
};

/** A charge as psp/culqi.md §1.6 shows it. */
const charge = {
  duplicated: false, object: 'charge', id: 'chr_test_Hh2Gg3Ff4Dd5Ss6A', creation_date: 1_796_000_003_000, amount: 2_000, amount_refunded: 0, current_amount: 2_000, installments: 1,
  currency_code: 'PEN', email: 'ana@ejemplo.pe', description: 'Pedido 7001',
  source: {
    object: 'token', id: TOKEN, type: 'card', card_number: '411111******1111', last_four: '1111',
    iin: { object: 'iin', bin: '411111', card_brand: 'Visa', card_type: 'credito', issuer: { name: 'BANCO X', country_code: 'PE' } }, client: { ip: '192.0.2.10' },
  },
  outcome: { type: 'venta_exitosa', code: 'AUT0000', merchant_message: '…', user_message: '…' },
  fraud_score: 12.0, dispute: false, capture: true, reference_code: 'aB3dE6gH9j', authorization_code: 'k7Lm2N', metadata: { attempt_id: 'att_1', payment_id: 'pay_1' },
  total_fee: 94, fee_details: { fixed_fee: {}, variable_fee: { currency_code: 'PEN', commision: 0.0399, total: 80 } }, total_fee_taxes: 14, transfer_amount: 1_906, paid: false, capture_date: null,
};
const cardError = (declineCode: string | null, code = 'card_declined') => ({
  object: 'error', type: 'card_error', charge_id: 'chr_test_Zz2Gg3Ff4Dd5Ss6A', code, ...(declineCode === null ? {} : { decline_code: declineCode }), merchant_message: 'refused', user_message: 'no',
});

describe('the tables', () => {
  // psp/culqi.md §1.13, word for word.
  it.each('expired_card stolen_card lost_card insufficient_funds contact_issuer invalid_cvv incorrect_cvv too_many_attempts_cvv issuer_not_available issuer_decline_operation invalid_card processing_error fraudulent culqi_card soft_block'.split(' '))(
    'have the documented decline code %s', (word) => { expect(Object.keys(DECLINE_CODES)).toContain(word); });
  it.each('DNGA0054 DNGA0019 DNGE0087 DNGA0323 CULQ0001 CULQ0003 PREV0001 PREV0009 PREV0091'.split(' '))('have the documented outcome code %s', (word) => { expect(Object.keys(OUTCOME_CODES)).toContain(word); });
  it('call retryable only what may go better with the same card', () => {
    expect(Object.entries(DECLINE_CODES).filter(([, { retryable }]) => retryable).map(([word]) => word).sort()).toEqual(['issuer_not_available', 'processing_error']);
  });
});

describe('a charge', () => {
  it('that succeeded is captured, with its facts', async () => {
    expect(await gatewayOver(answer(201, charge)).createPayment(order)).toMatchObject({
      status: 'captured', reference: charge.id, ourReference: 'att_1', amount: money(2_000n, 'PEN'), captured: money(2_000n, 'PEN'), fee: money(94n, 'PEN'), net: money(1_906n, 'PEN'),
      feeBreakdown: { percentMinor: 80n, fixedMinor: 0n, taxMinor: 14n }, card: { brand: 'visa', last4: '1111', bin: '411111', funding: 'credit', issuerCountry: 'PE' },
      authorizationCode: 'k7Lm2N', pspCode: 'venta_exitosa', fraudScore: 12,
    });
  });

  it('that was only authorised is authorised, and voided once it is refunded whole', async () => {
    expect(await gatewayOver(answer(201, { ...charge, capture: false })).createPayment(order)).toMatchObject({ status: 'authorized', captured: null });
    expect(await gatewayOver(answer(200, { ...charge, capture: false, amount_refunded: 2_000 })).fetchPayment(charge.id)).toMatchObject({ status: 'voided' });
  });

  it('that must be authenticated is no payment: 200 REVIEW has no id', async () => {
    expect(await gatewayOver(answer(200, { action_code: 'REVIEW', user_message: 'Debe autenticarse con 3DS.' })).createPayment(order)).toMatchObject({
      status: 'requires_action', reference: null, action: { type: 'three_ds', publicKey: 'pk_test_Secret1Secret2', expiresAt: new Date(NOW.getTime() + 300_000) },
    });
  });

  it.each(Object.entries(DECLINE_CODES))('declined as %s is declined', async (word, { code, retryable }) => {
    for (const status of [402, 400]) {
      expect(await gatewayOver(answer(status, cardError(word))).createPayment(order)).toMatchObject({
        status: 'declined', reference: 'chr_test_Zz2Gg3Ff4Dd5Ss6A', decline: { code, retryable, pspCode: word },
      });
    }
  });

  it('declined without saying that it is a card error is declined all the same', async () => {
    const { type: _type, ...untyped } = cardError('insufficient_funds');
    expect(await gatewayOver(answer(402, untyped)).createPayment(order)).toMatchObject({ status: 'declined', decline: { code: 'insufficient_funds' } });
  });

  it('declined with a code that nobody knows is declined under that code', async () => {
    expect(await gatewayOver(answer(402, cardError('new_reason'))).createPayment(order)).toMatchObject({ status: 'declined', decline: { code: 'card_declined', pspCode: 'new_reason', retryable: false } });
    expect(await gatewayOver(answer(402, cardError('__proto__'))).createPayment(order)).toMatchObject({ decline: { code: 'card_declined' } });
  });

  it.each(Object.entries(OUTCOME_CODES))('stored with outcome code %s has failed', async (code, verdict) => {
    const stored = { ...charge, capture: null, outcome: { type: 'denegada', code, merchant_message: 'no' } };
    expect(await gatewayOver(answer(200, stored)).fetchPayment(charge.id)).toMatchObject({ status: 'declined', decline: { code: verdict.code, pspCode: code } });
  });

  it('stored without an outcome has failed: that it exists does not mean that it was paid', async () => {
    expect(await gatewayOver(answer(200, { ...charge, capture: null, outcome: null })).fetchPayment(charge.id)).toMatchObject({ status: 'declined', decline: { code: 'processing_error' } });
  });

  it('stored with an error for an outcome has failed', async () => {
    const stored = { ...charge, capture: null, outcome: cardError('stolen_card') };
    expect(await gatewayOver(answer(200, stored)).fetchPayment(charge.id)).toMatchObject({ status: 'declined', decline: { code: 'stolen_or_lost_card' } });
  });

  it('with a word that nobody knows waits, and carries that word (A12)', async () => {
    const strange = { ...charge, outcome: { ...charge.outcome, type: 'in_mediation', code: 'X1' } };
    expect(await gatewayOver(answer(201, strange)).createPayment(order)).toMatchObject({ status: 'pending', unmapped: 'in_mediation' });
  });

  it('in a currency that nobody knows shows no amount', async () => {
    expect(await gatewayOver(answer(201, { ...charge, currency_code: 'XXX' })).createPayment(order)).toMatchObject({ amount: null });
  });

  it('with parts of a fee that do not add up keeps the fee and drops the parts', async () => {
    const snapshot = await gatewayOver(answer(201, { ...charge, total_fee_taxes: 15 })).createPayment(order);
    expect(snapshot).toMatchObject({ fee: money(94n, 'PEN') });
    expect(snapshot.feeBreakdown).toBeUndefined();
  });
});

describe('an answer that is no charge', () => {
  const error = (type: string, code: string, param?: string) => ({ object: 'error', type, code, merchant_message: 'no', ...(param === undefined ? {} : { param }) });
  it.each<[number, unknown, object]>([
    [422, error('parameter_error', 'invalid_amount', 'amount'), { kind: 'request_rejected', field: 'amount', pspCode: 'invalid_amount' }],
    [400, error('invalid_request_error', 'invalid_token', 'source_id'), { kind: 'request_rejected', field: 'paymentMethod.tokens.culqi' }],
    [404, error('resource_error', 'not_found'), { kind: 'request_rejected' }],
    [401, error('authentication_error', 'invalid_key'), { kind: 'credentials_rejected' }],
    [403, '{"message":"Forbidden"}', { kind: 'credentials_rejected' }],
    [429, error('limit_api_error', 'limit'), { kind: 'rate_limited' }],
    [500, error('api_error', 'x'), { kind: 'outcome_unknown' }],
    [500, { timestamp: '…', status: 500, error: 'Internal Server Error', path: '/v2/charges' }, { kind: 'outcome_unknown' }],
    [503, '', { kind: 'outcome_unknown' }],
    [504, { message: 'Endpoint request timed out' }, { kind: 'outcome_unknown' }],
    [400, '<html>', { kind: 'outcome_unknown' }],
    [302, '', { kind: 'outcome_unknown' }],
    [201, '', { kind: 'outcome_unknown' }],
    [201, '<html>', { kind: 'outcome_unknown' }],
    [201, { object: 'charge' }, { kind: 'outcome_unknown' }],
    [201, { ...charge, amount: 20.5 }, { kind: 'outcome_unknown' }],
    [201, { ...charge, amount: '2000' }, { kind: 'outcome_unknown' }],
    [201, { ...charge, id: 'chr_test_../x' }, { kind: 'outcome_unknown' }],
    [200, charge, { kind: 'outcome_unknown' }],
    [402, { object: 'error', merchant_message: 'no type' }, { kind: 'outcome_unknown' }],
  ])('%i %j', async (status, body, expected) => {
    await expect(gatewayOver(answer(status, body)).createPayment(order)).rejects.toMatchObject(expected);
  });

  it('carries how long to wait, where Culqi says so', async () => {
    await expect(gatewayOver(answer(429, error('limit_api_error', 'limit'), { 'retry-after': '7' })).createPayment(order)).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  it('never repeats key or token in its trouble', async () => {
    const body = { object: 'error', type: 'invalid_request_error', code: 'invalid_token', merchant_message: `token ${TOKEN} of ${SECRET}` };
    const caught: unknown = await gatewayOver(answer(400, body)).createPayment(order).catch((trouble: unknown) => trouble);
    expect(`${String(caught)} ${JSON.stringify(caught)}`).not.toMatch(/tkn_|sk_test/);
  });
});

describe('what is kept of an answer', () => {
  it('holds no token', async () => {
    const { raw } = await gatewayOver(answer(201, charge)).createPayment(order);
    expect(JSON.stringify(raw)).not.toContain(TOKEN);
    expect(JSON.stringify(raw)).not.toContain('192.0.2.10');
  });
});

describe('the request', () => {
  const bodyOf = async (changes: Partial<PaymentOrder>): Promise<Record<string, unknown>> => {
    let sent: HttpRequest | undefined;
    await gatewayOver((request) => { sent = request; return answer(201, charge)(request, TimeWindow.open(systemClock, 1)); }).createPayment({ ...order, ...changes });
    return JSON.parse(sent?.body ?? '') as Record<string, unknown>;
  };

  it('carries our reference, the token and the exact amount', async () => {
    expect(await bodyOf({})).toEqual({
      amount: 2_000, currency_code: 'PEN', email: 'ana@ejemplo.pe', source_id: TOKEN, capture: true, description: 'Pedido 7001',
      metadata: { attempt_id: 'att_1', payment_id: 'pay_1' }, antifraud_details: { first_name: 'Ana', last_name: 'Rojas' },
    });
  });

  it.each<[string | null, string]>([
    [null, 'Pago pay_1'], ['abc', 'abc..'], ['x'.repeat(100), 'x'.repeat(80)], [`${'x'.repeat(79)}😀`, 'x'.repeat(79)],
  ])('describes %j as %j', async (description, expected) => {
    expect((await bodyOf({ description })).description).toBe(expected);
  });

  it('leaves out what Culqi would refuse the payment for', async () => {
    const customer = { email: 'a@b.pe', firstName: 'A', phone: '+51 (999) 000-111', address: { line1: 'Av', city: 'Lima' }, country: 'PE' };
    expect((await bodyOf({ customer })).antifraud_details).toEqual({ phone_number: '+51999000111', address_city: 'Lima', country_code: 'PE' });
  });

  it('names instalments from two on only', async () => {
    expect((await bodyOf({ method: { ...order.method, installments: 6 } })).installments).toBe(6);
    expect((await bodyOf({})).installments).toBeUndefined();
  });
});

describe('the search for a lost charge', () => {
  const attempt = { attemptId: 'att_1', amount: money(2_000n, 'PEN'), sentAt: NOW, deadlineAt: new Date(NOW.getTime() + 15_000) };
  const page = (data: unknown[], next: string | null = null) => ({ data, paging: { previous: null, next, cursors: { before: null, after: null }, remaining_items: null } });
  const other = { ...charge, id: 'chr_test_0000000000000000', metadata: { attempt_id: 'att_2' } };

  function pages(...answers: [number, unknown][]): { send: SendHttp; urls: URL[] } {
    const urls: URL[] = [];
    return { urls, send: (request) => {
      urls.push(request.url);
      const [status, body] = answers[Math.min(urls.length, answers.length) - 1]!;
      return answer(status, body)(request, TimeWindow.open(systemClock, 1));
    } };
  }

  it('asks for the time in which the call can have happened', async () => {
    const { send, urls } = pages([200, page([])]);
    expect(await gatewayOver(send).findPayment(attempt)).toBeNull();
    expect(Object.fromEntries(urls[0]!.searchParams)).toEqual({
      creation_date_from: String(NOW.getTime() - 300_000), creation_date_to: String(NOW.getTime() + 615_000), currency_code: 'PEN', limit: '100',
    });
  });

  it('finds ours among others, on a later page, without following the address that Culqi names (A24)', async () => {
    const { send, urls } = pages([200, page([other], 'https://evil.example/?after=x')], [200, page([charge])]);
    expect(await gatewayOver(send).findPayment(attempt)).toMatchObject({ status: 'captured', reference: charge.id });
    expect(urls[1]!.host).toBe('culqi.example');
    expect(urls[1]!.searchParams.get('after')).toBe(other.id);
  });

  it('finds one of another amount too: the amount is compared afterwards', async () => {
    expect(await gatewayOver(pages([200, page([{ ...charge, amount: 1 }])]).send).findPayment(attempt)).toMatchObject({ amount: money(1n, 'PEN') });
  });

  it('keeps the first of two that took money, and names the other', async () => {
    const second = { ...charge, id: 'chr_test_Second0Second000', creation_date: charge.creation_date + 1_000 };
    const failed = { ...charge, id: 'chr_test_Failed0Failed000', creation_date: 1, capture: null, outcome: null };
    expect(await gatewayOver(pages([200, page([second, charge, failed])]).send).findPayment(attempt)).toMatchObject({ status: 'captured', reference: charge.id, duplicates: [second.id] });
  });

  it.each<[string, [number, unknown][]]>([
    ['a page fails', [[200, page([other], 'next')], [503, '']]],
    ['a page cannot be read', [[200, '<html>']]],
    ['a page has no list', [[200, { data: null }]]],
    ['there is no end of pages', [[200, page([other], 'next')]]],
    ['ours cannot be read', [[200, page([{ ...charge, amount: 'x' }])]]],
  ])('shows nothing when %s', async (_fault, answers) => {
    await expect(gatewayOver(pages(...answers).send).findPayment(attempt)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it('reads at most twenty pages', async () => {
    const { send, urls } = pages([200, page([other], 'next')]);
    await gatewayOver(send).findPayment(attempt).catch(() => null);
    expect(urls).toHaveLength(20);
  });
});

it('a charge that Culqi does not know is not found', async () => {
  await expect(gatewayOver(answer(404, { object: 'error', type: 'resource_error' })).fetchPayment(charge.id)).rejects.toMatchObject({ kind: 'payment_not_found' });
});

/** A transport that gives one answer after the other, and remembers what it was asked. A step may fail instead. */
function playing(...steps: (HttpAnswer | GatewayError)[]): { send: SendHttp; requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  return {
    requests,
    send: (request) => {
      const step = steps[requests.push(request) - 1];
      if (step === undefined) throw new Error('more was asked than expected');
      return step instanceof GatewayError ? Promise.reject(step) : Promise.resolve(step);
    },
  };
}
const reply = (status: number, body: unknown): HttpAnswer => ({ status, headers: {}, body: JSON.stringify(body) });
const operation = { attemptId: 'att_2', paymentId: 'pay_1', reference: charge.id, amount: money(2_000n, 'PEN') };
const reserved = { ...charge, capture: false };
const refund = { object: 'refund', id: 'ref_test_Zz1Yy2Xx3Ww4Vv5U', charge_id: charge.id, creation_date: 1_796_000_100_000, amount: 2_000, reason: 'Devolución solicitada por el comercio', metadata: {} };
const refusal = { object: 'error', type: 'invalid_request_error', merchant_message: 'no' };

describe('a capture', () => {
  const capture = { ...operation, authorized: money(2_000n, 'PEN') };
  it.each([200, 201])('that is answered with %i and the charge is done, whatever its capture_date says', async (status) => {
    const sent = playing(reply(status, { ...charge, operations: [], capture_date: null }));
    expect(await gatewayOver(sent.send).capturePayment(capture)).toMatchObject({ status: 'captured', captured: money(2_000n, 'PEN') });
    expect(sent.requests).toMatchObject([{ method: 'POST', body: '{}' }]); // without the id that the SDK repeats (defect 12)
    expect(sent.requests[0]?.url.pathname).toBe(`/v2/charges/${charge.id}/capture`);
  });

  it.each<[string, HttpAnswer | GatewayError, string]>([
    ['a refusal', reply(400, refusal), 'request_rejected'], ['a charge that nobody knows', reply(404, { ...refusal, type: 'resource_error' }), 'request_rejected'], ['other keys', reply(401, refusal), 'credentials_rejected'],
    ['a gateway time-out', reply(504, { message: 'Endpoint request timed out' }), 'outcome_unknown'], ['an answer that is no charge', reply(201, { object: 'refund' }), 'outcome_unknown'],
    ['no answer', new GatewayError('outcome_unknown', 'x'), 'outcome_unknown'], ['no connection', new GatewayError('not_contacted', 'x'), 'not_contacted'],
  ])('that meets %s', async (_what, step, kind) => {
    await expect(gatewayOver(playing(step).send).capturePayment(capture)).rejects.toMatchObject({ kind });
  });
});

describe('a void', () => {
  it('is a refund of the whole, after a look at the charge, and is shown by the charge', async () => {
    const sent = playing(reply(200, reserved), reply(201, refund), reply(200, { ...reserved, amount_refunded: 2_000 }));
    expect(await gatewayOver(sent.send).voidPayment(operation)).toMatchObject({ status: 'voided', reference: charge.id });
    expect(sent.requests.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([`GET /v2/charges/${charge.id}`, 'POST /v2/refunds', `GET /v2/charges/${charge.id}`]);
    expect(JSON.parse(sent.requests[1]?.body ?? '')).toEqual({ amount: 2_000, charge_id: charge.id, reason: 'solicitud_comprador' });
  });

  it('leaves alone what Culqi has captured by itself', async () => {
    const sent = playing(reply(200, charge));
    expect(await gatewayOver(sent.send).voidPayment(operation)).toMatchObject({ status: 'captured' });
    expect(sent.requests).toHaveLength(1);
  });

  it.each<[string, (HttpAnswer | GatewayError)[], string]>([
    ['that cannot look first asks for nothing', [reply(504, {})], 'not_contacted'], ['that loses its first look asks for nothing', [new GatewayError('outcome_unknown', 'x')], 'not_contacted'],
    ['that is refused is not done', [reply(200, reserved), reply(400, refusal)], 'request_rejected'], ['whose refund is lost is unknown', [reply(200, reserved), new GatewayError('outcome_unknown', 'x')], 'outcome_unknown'],
    ['whose refund is answered with 500 is unknown', [reply(200, reserved), reply(500, {})], 'outcome_unknown'], ['whose refund is no refund is unknown', [reply(200, reserved), reply(201, {})], 'outcome_unknown'],
    ['whose last look fails is unknown, never undone', [reply(200, reserved), reply(201, refund), new GatewayError('not_contacted', 'x')], 'outcome_unknown'],
    ['whose last look is refused is unknown, never undone', [reply(200, reserved), reply(201, refund), reply(429, refusal)], 'outcome_unknown'],
  ])('%s', async (_what, steps, kind) => {
    await expect(gatewayOver(playing(...steps).send).voidPayment(operation)).rejects.toMatchObject({ kind });
  });
});

describe('a refund that is looked for', () => {
  const reference = { attemptId: 'att_2', paymentId: 'pay_1', reference: charge.id, amount: money(500n, 'PEN'), sentAt: NOW, deadlineAt: NOW, refundedBefore: money(0n, 'PEN'), otherReferences: [] as string[] };
  const refund = (id: string, changes: object = {}) => ({ object: 'refund', id: `ref_test_${id}`, charge_id: charge.id, creation_date: NOW.getTime(), amount: 500, reason: 'Duplicado', metadata: {}, ...changes });
  /** Culqi's list of refunds, and what the charge shows as given back. */
  const gatewayWith = (refunds: object[], amountRefunded: number) => gatewayOver(({ url }) => Promise.resolve<HttpAnswer>({
    status: 200, headers: {}, body: JSON.stringify(url.pathname === '/v2/refunds' ? { data: refunds, paging: { next: null } } : { ...charge, amount_refunded: amountRefunded }),
  }));

  it('is the one of this charge and amount that is none of the others', async () => {
    const others = [refund('aaaa'), refund('bbbb', { charge_id: 'chr_test_other' }), refund('cccc', { amount: 501 }), refund('dddd')];
    expect(await gatewayWith(others, 1_000).findRefund({ ...reference, refundedBefore: money(500n, 'PEN'), otherReferences: ['ref_test_aaaa'] })).toMatchObject({ status: 'succeeded', reference: 'ref_test_dddd', amount: money(500n, 'PEN') });
  });

  it('is absent when only the others are there', async () => {
    expect(await gatewayWith([refund('aaaa')], 500).findRefund({ ...reference, refundedBefore: money(500n, 'PEN'), otherReferences: ['ref_test_aaaa'] })).toBeNull();
    expect(await gatewayWith([], 0).findRefund(reference)).toBeNull();
  });

  it('is absent when what is listed explains all that was given back, and can be none of it', async () => {
    const inPanel = [refund('eeee', { amount: 700 })];
    expect(await gatewayWith(inPanel, 700).findRefund(reference)).toBeNull();
    expect(await gatewayWith([refund('aaaa'), ...inPanel], 1_200).findRefund({ ...reference, refundedBefore: money(500n, 'PEN'), otherReferences: ['ref_test_aaaa'] })).toBeNull();
    // Ours may be what the list does not show yet.
    await expect(gatewayWith(inPanel, 1_200).findRefund(reference)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it('whose answer is about another charge is unknown (A11)', async () => {
    const order = { attemptId: 'att_2', paymentId: 'pay_1', reference: charge.id, amount: money(500n, 'PEN'), reason: 'requested_by_customer' as const };
    await expect(gatewayOver(answer(201, refund('aaaa', { charge_id: 'chr_test_other' }))).refundPayment(order)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    expect(await gatewayOver(answer(201, refund('aaaa'))).refundPayment(order)).toMatchObject({ status: 'succeeded' });
  });

  it('is unknown while the charge shows money given back that the list does not explain', async () => {
    await expect(gatewayWith([], 500).findRefund(reference)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });

  it('is unknown when the list cannot be read, or has no end', async () => {
    await expect(gatewayWith([{ id: 'nonsense' }], 0).findRefund(reference)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    const endless = gatewayOver(({ url }) => Promise.resolve<HttpAnswer>({ status: 200, headers: {}, body: JSON.stringify({ data: [refund(String(url.searchParams.get('after') ?? '').slice(-4) || 'zzzz', { amount: 1 })], paging: { next: 'https://x' } }) }));
    await expect(endless.findRefund(reference)).rejects.toMatchObject({ kind: 'outcome_unknown' });
  });
});

describe('the customer of an e-mail address', () => {
  const customer = { email: 'ana@ejemplo.pe', firstName: 'Ana', lastName: 'Rojas', phone: '+51999000111', country: 'PE', address: { line1: 'Avenida 1', city: 'Lima' } };
  const shown = (suffix: string, email: string) => ({ object: 'customer', id: `cus_test_${suffix}`, email });
  const card = { object: 'card', id: 'crd_test_0000000000000001', source: charge.source };
  /** Culqi, where the address is taken, and its customers stand on these pages, whatever they are asked for by. */
  function culqiWith(pages: object[][], { isEndless = false } = {}) {
    const requests: HttpRequest[] = [];
    const gateway = gatewayOver((request) => {
      requests.push(request);
      const { pathname, searchParams } = request.url;
      const to = (status: number, body: object): Promise<HttpAnswer> => Promise.resolve({ status, headers: {}, body: JSON.stringify(body) });
      if (request.method === 'GET' && pathname === '/v2/customers') {
        const page = Number(searchParams.get('after') ?? 0);
        return to(200, { data: pages[page % pages.length], paging: { next: isEndless || page + 1 < pages.length ? 'https://culqi.example/next' : null, cursors: { after: String(page + 1) } } });
      }
      if (pathname === '/v2/cards') return to(201, card);
      if (request.method === 'POST') return to(400, { object: 'error', type: 'invalid_request_error', merchant_message: 'Un cliente con este correo ya existe.' });
      return to(200, request.method === 'GET' ? { ...shown('found', customer.email), cards: [card] } : { deleted: true });
    });
    const listings = () => requests.filter(({ method, url }) => method === 'GET' && url.pathname === '/v2/customers');
    return { gateway, requests, listings };
  }

  it('is found among all others, on a later page, whatever its capitals', async () => {
    const { gateway, requests, listings } = culqiWith([[shown('other', 'luis@ejemplo.pe')], [shown('found', 'ANA@ejemplo.pe')], [shown('last', 'ana@ejemplo.pe')]]);
    expect(await gateway.savePaymentMethod({ token: TOKEN, customer })).toMatchObject({ status: 'saved', reference: card.id });
    expect(JSON.parse(requests.at(-1)?.body ?? '{}')).toMatchObject({ customer_id: 'cus_test_found' });
    expect(listings().map(({ url }) => Object.fromEntries(url.searchParams))).toEqual([{ email: 'ana@ejemplo.pe', limit: '100' }, { email: 'ana@ejemplo.pe', limit: '100', after: '1' }]);
  });

  it('is not found where it is on no page, or on none of those that are read', async () => {
    await expect(culqiWith([[shown('other', 'luis@ejemplo.pe')]]).gateway.savePaymentMethod({ token: TOKEN, customer })).rejects.toMatchObject({ kind: 'request_rejected' });
    const { gateway, listings } = culqiWith([[shown('other', 'luis@ejemplo.pe')]], { isEndless: true });
    await expect(gateway.forgetCustomer(customer)).rejects.toMatchObject({ kind: 'outcome_unknown' });
    expect(listings()).toHaveLength(20);
  });

  it('is forgotten after every card of theirs', async () => {
    const { gateway, requests } = culqiWith([[shown('found', 'Ana@ejemplo.pe')]]);
    await gateway.forgetCustomer(customer);
    expect(requests.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual(['GET /v2/customers', 'GET /v2/customers/cus_test_found', `DELETE /v2/cards/${card.id}`, 'DELETE /v2/customers/cus_test_found']);
  });
});
