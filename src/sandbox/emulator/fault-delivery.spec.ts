import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type MercadopagoSandbox, startMercadopagoSandbox } from '../mercadopago/mercadopago-sandbox.js';

let sandbox: MercadopagoSandbox;
beforeEach(async () => { sandbox = await startMercadopagoSandbox(); });
afterEach(() => sandbox.close());

const ask = async (method: string, path: string, body?: unknown): Promise<unknown> =>
  (await fetch(`${sandbox.url}${path}`, { method, headers: { authorization: 'Bearer APP_USR-sec-abcdef', 'x-idempotency-key': `k${Math.random()}`, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })).json();

it('a wrong answer is wrong in each item of a list, whatever the list is called or where it stands', async () => {
  const { id: token } = await ask('POST', '/v1/card_tokens?public_key=APP_USR-pub-abcdef', { card_number: '4009175332806176', security_code: '123', cardholder: { name: 'APRO' } }) as { id: string };
  const { id } = await ask('POST', '/v1/payments', { transaction_amount: 58.8, token, installments: 1, payment_method_id: 'visa', payer: { email: 'buyer@example.pe' } }) as { id: number };
  await ask('POST', `/v1/payments/${id}/refunds`, { amount: 5 });
  sandbox.faults.add({ route: 'GET /v1/payments/search', kind: 'wrong_answer', changes: { currency_id: 'USD' } });
  expect(await ask('GET', '/v1/payments/search')).toMatchObject({ results: [{ currency_id: 'USD' }] });
  sandbox.faults.add({ route: 'GET /v1/payments/:id/refunds', kind: 'wrong_answer', changes: { amount: 1 } });
  expect(await ask('GET', `/v1/payments/${id}/refunds`)).toMatchObject([{ amount: 1 }]);
  expect(await ask('GET', '/v1/payments/search')).toMatchObject({ results: [{ currency_id: 'PEN' }] });
});
