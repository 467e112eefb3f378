import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPayment, mintToken, paymentOf, type ProblemBody } from '../support/payments.js';
import { newMerchant, startService, type Merchant, type Service } from '../support/service.js';
import { rememberCanaries } from '../support/settings.js';

let service: Service;
let ana: Merchant;
beforeAll(async () => { service = await startService(); });
afterAll(() => service.close());
beforeEach(async () => { ana = await newMerchant(service.ask); });

async function yapeToken(phone = '900000001', amount = 12_900): Promise<string> {
  const response = await fetch(`${service.sandbox.url}/v2/tokens/yape`, {
    method: 'POST', headers: { authorization: `Bearer ${ana.culqi.publicKey}`, 'content-type': 'application/json' }, body: JSON.stringify({ number_phone: phone, otp: '654321', amount }),
  });
  const { id } = await response.json() as { id: string };
  rememberCanaries([id]);
  return id;
}
const pay = (token: string, changes: Record<string, unknown> = {}, method: Record<string, unknown> = {}) =>
  createPayment(service, ana.client, paymentOf(token, { paymentMethod: { type: 'yape', tokens: { culqi: token }, ...method }, ...changes }));

describe('a payment by Yape', () => {
  it('is captured at once', async () => {
    const { status, body } = await pay(await yapeToken());
    expect([status, body.status, body.amountCaptured, body.fraudScore]).toEqual([201, 'captured', 12_900, null]);
    expect(body.paymentMethod).toMatchObject({ type: 'yape', installments: 1 });
    expect(service.sandbox.books.charges(ana.culqi.merchant)).toMatchObject([{ source: { type: 'yape' }, capture: true }]);
  });

  it.each([['900000002', 'insufficient_funds'], ['900000003', 'contact_issuer']])('from %s is declined as %s', async (phone, code) => {
    expect((await pay(await yapeToken(phone))).body).toMatchObject({ status: 'failed', failure: { code } });
  });

  it('for another amount than was approved fails', async () => {
    expect((await pay(await yapeToken('900000001', 5_000))).body).toMatchObject({ status: 'failed', failure: { code: 'processing_error' } });
  });

  it.each([
    ['in dollars', { currency: 'USD' }, {}, 'currency'], ['to be captured later', { captureMethod: 'manual' }, {}, 'captureMethod'], ['in instalments', {}, { installments: 3 }, 'paymentMethod.installments'],
  ])('%s is refused before Culqi is asked', async (_what, changes, method, field) => {
    const { status, body } = await pay('ype_test_0000000000000000', changes, method);
    const problem = body as unknown as ProblemBody;
    expect([status, problem.code, problem.errors?.map((error) => error.field)]).toEqual([422, 'no_eligible_gateway', expect.arrayContaining([field])]);
  });
});

describe('a saved card of Culqi\'s', () => {
  it('is charged again and again', async () => {
    const ask = async <T>(path: string, body: object): Promise<T> => (await fetch(`${service.sandbox.url}${path}`, {
      method: 'POST', headers: { authorization: `Bearer ${ana.culqi.secretKey}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
    })).json() as Promise<T>;
    const customer = await ask<{ id: string }>('/v2/customers', {
      first_name: 'Ana', last_name: 'Rojas', email: 'ana@ejemplo.pe', address: 'Avenida 1', address_city: 'Lima', country_code: 'PE', phone_number: '999000111',
    });
    const card = await ask<{ id: string }>('/v2/cards', { customer_id: customer.id, token_id: await mintToken(service.sandbox.url, ana) });
    for (let i = 0; i < 2; i++) {
      const { body } = await createPayment(service, ana.client, paymentOf(card.id));
      expect(body).toMatchObject({ status: 'captured', paymentMethod: { last4: '1111', brand: 'visa' } });
    }
    expect(service.sandbox.books.charges(ana.culqi.merchant)).toHaveLength(2);
  });
});
