import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, mintToken, paymentOf, readPayment, settled, type PaymentBody, type ProblemBody } from '../support/payments.js';
import { newMerchant, startService, type Answer, type Merchant, type Service } from '../support/service.js';
import { rememberCanaries } from '../support/settings.js';

let service: Service;
let ana: Merchant;
beforeAll(async () => { service = await startService(); });
afterAll(() => service.close());
beforeEach(async () => {
  ana = await newMerchant(service.ask);
  service.sandbox.faults.clear();
});

const REVIEW = 'review@culqi.com';
/** A payment with a card that asks for authentication, and what the payer's browser brings. */
async function challenged(number = '4456530000001096', changes: Record<string, unknown> = {}) {
  const token = await mintToken(service.sandbox.url, ana, { number, cvv: '111' }, REVIEW);
  const { body } = await createPayment(service, ana.client, paymentOf(token, { customer: { email: REVIEW }, ...changes }));
  const outcome = service.sandbox.authenticate(token);
  if (!('parameters3DS' in outcome)) throw new Error(outcome.error);
  rememberCanaries([outcome.parameters3DS.cavv]);
  return { payment: body, proof: outcome.parameters3DS, token };
}
const authenticate = (id: string, proof: object, key: string = randomUUID()): Promise<Answer<PaymentBody & ProblemBody>> =>
  service.ask({ method: 'POST', path: `/v1/payments/${id}/authentication`, key: ana.client, body: proof, headers: { 'idempotency-key': key } });
const approved = () => service.sandbox.books.charges(ana.culqi.merchant).filter((charge) => charge.approved);

describe('a card that asks for 3-D Secure (A21)', () => {
  it.each(['4456530000001096', '5200000000001096', '4456530000001005', '5200000000001005'])('%s waits for the customer, and is captured with the same token afterwards', async (number) => {
    const { payment, proof } = await challenged(number);
    expect(payment).toMatchObject({
      status: 'requires_action', gatewayReference: null, attempts: [{ status: 'requires_action' }],
      nextAction: { type: 'three_ds', gateway: 'culqi', publicKey: ana.culqi.publicKey },
    });
    const { status, body } = await authenticate(payment.id, proof);
    expect([status, body.status, body.nextAction, body.amountCaptured]).toEqual([200, 'captured', null, 12_900]);
    const { cavv: _cavv, ...shown } = proof;
    expect(body.threeDs).toEqual(shown);
    expect(body.attempts.map((attempt) => attempt.status)).toEqual(['requires_action', 'succeeded']);
    expect(approved()).toMatchObject([{ metadata: { attempt_id: body.attempts[1]?.id } }]);
    expect(JSON.stringify(await service.tables.query(`select * from payment_attempts where payment_id = '${payment.id}'`)) + JSON.stringify(await service.tables.query(`select * from payments where id = '${payment.id}'`))).not.toContain(proof.cavv);
  });

  it.each([['4456530000001070', 'processing_error'], ['5200000000001013', 'card_declined']])('%s fails when the authentication fails', async (number, code) => {
    const { payment, proof } = await challenged(number);
    expect((await authenticate(payment.id, proof)).body).toMatchObject({ status: 'failed', failure: { code } });
    expect(approved()).toEqual([]);
  });

  it('can be reserved, too', async () => {
    const { payment, proof } = await challenged(undefined, { captureMethod: 'manual' });
    expect((await authenticate(payment.id, proof)).body).toMatchObject({ status: 'authorized', amountCaptured: 0 });
  });

  it('is charged once, however often the customer comes back', async () => {
    const { payment, proof } = await challenged();
    const key = randomUUID();
    const first = await authenticate(payment.id, proof, key);
    expect((await authenticate(payment.id, proof, key)).text).toBe(first.text);
    const second = await authenticate(payment.id, proof);
    expect([second.status, second.body.code]).toEqual([409, 'invalid_state']);
    expect(approved()).toHaveLength(1);
  });

  it('is charged once by two at the same time', async () => {
    const { payment, proof } = await challenged();
    const answers = await Promise.all([authenticate(payment.id, proof), authenticate(payment.id, proof), authenticate(payment.id, proof)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect(answers.filter(({ status }) => status === 409).every(({ body }) => ['invalid_state', 'operation_in_progress'].includes(body.code))).toBe(true);
    expect(approved()).toHaveLength(1);
  });

  it('whose second reply is lost is unknown, and found', async () => {
    const { payment, proof } = await challenged();
    service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
    expect((await authenticate(payment.id, proof)).body).toMatchObject({ status: 'processing' });
    const again = await authenticate(payment.id, proof);
    expect([again.status, again.body.code]).toEqual([409, 'operation_in_progress']);
    expect(await settled(service, ana.client, payment.id)).toMatchObject({ status: 'captured' });
    expect(approved()).toHaveLength(1);
  });

  it('that nobody completes expires with its token, and charges nothing', async () => {
    const { payment } = await challenged();
    for (let i = 0; i < 200 && (await readPayment(service, ana.client, payment.id)).status === 'requires_action'; i++) await new Promise((resolve) => { setTimeout(resolve, 50); });
    expect(await readPayment(service, ana.client, payment.id)).toMatchObject({ status: 'expired', nextAction: null, failure: { code: 'expired' } });
    expect(approved()).toEqual([]);
  });

  it('can be withdrawn', async () => {
    const { payment, proof } = await challenged();
    const voided = await service.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${payment.id}/void`, key: ana.client, headers: { 'idempotency-key': randomUUID() } });
    expect(voided.body.status).toBe('voided');
    expect((await authenticate(payment.id, proof)).status).toBe(409);
  });
});

describe('an authentication', () => {
  it.each(['eci', 'xid', 'cavv', 'protocolVersion', 'directoryServerTransactionId'])('without %s is not valid', async (member) => {
    const { payment, proof } = await challenged();
    const { status, body } = await authenticate(payment.id, { ...proof, [member]: undefined });
    expect([status, body.code, body.errors?.[0]?.field]).toEqual([400, 'validation_failed', member]);
  });

  it.each([['pending_at_gateway', 'invalid_state'], ['in_flight', 'operation_in_progress'], ['outcome_unknown', 'operation_in_progress']])('of a payment that is processing, %s, is refused: %s', async (reason, code) => {
    const { proof, payment } = await challenged();
    await service.tables.query("update payments set status = 'processing', processing_reason = ?, next_action = null where id = ?", [reason, payment.id]);
    expect(await authenticate(payment.id, proof)).toMatchObject({ status: 409, body: { code } });
    expect(approved()).toEqual([]);
  });

  it('of a payment that waits for none is refused, and of another tenant\'s is not found', async () => {
    const { proof, payment } = await challenged();
    const { body } = await createPayment(service, ana.client, paymentOf(await mintToken(service.sandbox.url, ana)));
    expect((await authenticate(body.id, proof)).body.code).toBe('invalid_state');
    ana = await newMerchant(service.ask);
    expect((await authenticate(payment.id, proof)).status).toBe(404);
  });
});
