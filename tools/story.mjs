// `npm run demo`: a payment, a decline, a repeat, a lost reply that is found again, a refund, a 3-D Secure challenge, PixelPay's webhook, a customer who
// comes back, and what the service wrote down, told as it happens.
import crypto from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { say, Trouble } from './say.mjs';

const VISA = { card_number: '4111111111111111', cvv: '123' };
const WITHOUT_FUNDS = { card_number: '4000040000000008', cvv: '295' };

/** Plays the story against a running service and its emulator. @throws Trouble when it does not go as told */
export async function tellStory({ apiUrl, sandboxUrl, pixelpayUrl, mercadopagoUrl, demo }) {
  const call = async (method, url, key, body, headers = {}) => {
    const response = await fetch(url, {
      method, headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }), ...headers }, body: body && JSON.stringify(body), signal: AbortSignal.timeout(30_000),
    });
    return { status: response.status, headers: response.headers, body: response.status === 204 ? null : await response.json() };
  };
  const mint = async (card) => (await call('POST', `${sandboxUrl}/v2/tokens`, demo.culqiPublicKey,
    { expiration_month: '12', expiration_year: '2030', email: 'ana@ejemplo.pe', ...card })).body.id;
  const pay = (token, key) => call('POST', `${apiUrl}/v1/payments`, demo.clientKey, {
    amount: 12_900, currency: 'PEN', customer: { email: 'ana@ejemplo.pe', firstName: 'Ana' }, paymentMethod: { type: 'card', tokens: { culqi: token } },
  }, { 'idempotency-key': key });
  const read = async (id, at = '') => (await call('GET', `${apiUrl}/v1/payments/${id}${at}`, demo.clientKey)).body;
  const charges = async (id) => {
    const response = await fetch(`${sandboxUrl}/_control/books`, { signal: AbortSignal.timeout(10_000) });
    return (await response.json()).charges.filter((charge) => charge.approved && charge.metadata?.payment_id === id).length;
  };
  const expect = (claim, text) => {
    if (!claim) throw new Trouble(`the story went wrong: ${text}`);
    say(`   ${text}`);
  };

  say('\n1. Ana pays S/ 129.00 by card.');
  const key = crypto.randomUUID();
  const token = await mint(VISA);
  const paid = await pay(token, key);
  expect(paid.body.status === 'captured', `captured as ${paid.body.gatewayReference}; the fee is S/ ${major(paid.body.fee)}, S/ ${major(paid.body.net)} remain.`);

  say('2. Her app lost the answer and sends the same request again.');
  const again = await pay(token, key);
  expect(again.headers.get('idempotent-replayed') === 'true' && again.body.id === paid.body.id, 'the same answer, byte for byte; Culqi heard nothing of it.');
  expect(await charges(paid.body.id) === 1, 'Culqi\'s books show one charge.');

  say('3. Luis\'s card has no funds.');
  const declined = await pay(await mint(WITHOUT_FUNDS), crypto.randomUUID());
  expect(declined.body.status === 'failed', `failed (${declined.body.failure?.code}); Luis is told: ${declined.body.failure?.userMessage}`);

  say('4. Culqi takes Rosa\'s money, and the line breaks before it says so.');
  await fetch(`${sandboxUrl}/_control/faults`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ route: 'POST /v2/charges', kind: 'reset_after_booking' }), signal: AbortSignal.timeout(10_000),
  });
  const lost = await pay(await mint(VISA), crypto.randomUUID());
  expect(lost.body.status === 'processing', `processing (${lost.body.processingReason}): neither paid nor failed, because nobody knows yet. Nothing is sent twice.`);
  let found = lost.body;
  for (let i = 0; i < 60 && found.status === 'processing'; i++, await sleep(250)) found = await read(found.id);
  expect(found.status === 'captured' && await charges(found.id) === 1, 'captured: the service looked it up by its own reference. One charge.');

  say('5. Ana sends half of it back, and gets S/ 64.50.');
  const refund = await call('POST', `${apiUrl}/v1/payments/${paid.body.id}/refunds`, demo.clientKey, { amount: 6_450, reason: 'requested_by_customer' }, { 'idempotency-key': crypto.randomUUID() });
  expect(refund.status === 201 && refund.body.status === 'succeeded', `refund ${refund.body.gatewayReference} succeeded; more than the other half cannot be refunded any more.`);

  say('6. Pedro\'s bank wants to know who he is (3-D Secure).');
  const challenged = await call('POST', `${apiUrl}/v1/payments`, demo.clientKey, {
    amount: 12_900, currency: 'PEN', customer: { email: 'review@culqi.com' }, paymentMethod: { type: 'card', tokens: { culqi: await mint({ card_number: '4456530000001096', cvv: '111', email: 'review@culqi.com' }) } },
  }, { 'idempotency-key': crypto.randomUUID() });
  expect(challenged.body.status === 'requires_action', `requires_action (${challenged.body.nextAction?.type}): his browser runs Culqi's script.`);
  const authenticated = await call('POST', `${apiUrl}/v1/payments/${challenged.body.id}/authentication`, demo.clientKey,
    { eci: '05', xid: 'MDAwMDAwMDAwMDAwMDAwMDE=', cavv: 'AAABBEg0VhI0VniQEjRWAAAAAAA=', protocolVersion: '2.2.0', directoryServerTransactionId: crypto.randomUUID() }, { 'idempotency-key': crypto.randomUUID() });
  expect(authenticated.body.status === 'captured', 'he did; the same token is sent once more, with the proof: captured.');

  say('7. In Santo Domingo, Carmen pays RD$ 129.00 through PixelPay.');
  const { card_token: pixelpayToken } = (await call('POST', `${pixelpayUrl}/v2/tokens`, 'none', { public_key: demo.pixelpayPublicKey, card_number: '4111111111111111', cvv: '123', expiry_month: 12, expiry_year: 2030 })).body;
  const carmen = await call('POST', `${apiUrl}/v1/payments`, demo.clientKey, {
    amount: 12_900, currency: 'DOP', customer: { email: 'carmen@ejemplo.do' }, paymentMethod: { type: 'card', tokens: { pixelpay: pixelpayToken } },
  }, { 'idempotency-key': crypto.randomUUID() });
  expect(carmen.body.status === 'processing' && carmen.body.processingReason === 'pending_at_gateway', 'PixelPay has accepted it and will tell the end later: processing (pending_at_gateway).');
  let told = carmen.body;
  for (let i = 0; i < 80 && told.status === 'processing'; i++, await sleep(250)) told = await read(told.id);
  expect(told.status === 'captured', `its signed webhook came, PixelPay was asked, and it is captured; the fee is RD$ ${major(told.fee)}, RD$ ${major(told.net)} remain.`);

  say('8. José pays S/ 50.00 with Yape through MercadoPago; Lucía takes a voucher for S/ 80.00 and pays it at a shop.');
  const throughMercadopago = (amount, paymentMethod) => call('POST', `${apiUrl}/v1/payments`, demo.clientKey, { amount, currency: 'PEN', gateway: 'mercadopago', customer: { email: 'jose@ejemplo.pe' }, paymentMethod }, { 'idempotency-key': crypto.randomUUID() });
  const { id: yapeToken } = (await call('POST', `${mercadopagoUrl}/platforms/pci/yape/v1/payment?public_key=${demo.mercadopagoPublicKey}`, 'none', { phoneNumber: '111111111', otp: '123456', requestId: crypto.randomUUID() })).body;
  const jose = await throughMercadopago(5_000, { type: 'yape', tokens: { mercadopago: yapeToken } });
  expect(jose.body.status === 'captured', `Yape: captured; the fee is S/ ${major(jose.body.fee)}.`);
  const lucia = await throughMercadopago(8_000, { type: 'cash_voucher' });
  expect(lucia.body.nextAction?.type === 'pay_code', `voucher: requires_action; the code is ${lucia.body.nextAction?.code}.`);
  await call('POST', `${mercadopagoUrl}/_control/panel`, 'none', { action: 'approve', id: lucia.body.gatewayReference });
  let voucher = lucia.body;
  for (let i = 0; i < 80 && voucher.status === 'requires_action'; i++, await sleep(250)) voucher = await read(voucher.id);
  expect(voucher.status === 'captured', 'she paid; the webhook came, and it is captured.');

  say('9. Elena subscribes; MercadoPago keeps her card, and she is charged S/ 30.00 each month without being there.');
  const elena = (await call('POST', `${apiUrl}/v1/customers`, demo.clientKey, { email: 'elena@ejemplo.pe', firstName: 'Elena' })).body;
  const { id: cardToken } = (await call('POST', `${mercadopagoUrl}/v1/card_tokens?public_key=${demo.mercadopagoPublicKey}`, 'none',
    { card_number: '4009175332806176', security_code: '123', expiration_month: 11, expiration_year: 2030, cardholder: { name: 'APRO' } })).body;
  const kept = (await call('POST', `${apiUrl}/v1/customers/${elena.id}/payment-methods`, demo.clientKey, { gateway: 'mercadopago', token: cardToken })).body;
  expect(kept.last4 === '6176' && kept.default, `${kept.brand} ···${kept.last4}, until ${kept.expiryMonth}/${kept.expiryYear}, is kept as ${kept.id}.`);
  for (const month of ['November', 'December']) {
    const { body } = await call('POST', `${apiUrl}/v1/payments`, demo.clientKey, {
      amount: 3_000, currency: 'PEN', customer: { id: elena.id }, paymentMethod: { type: 'saved', savedMethodId: kept.id, initiatedBy: 'merchant' },
    }, { 'idempotency-key': crypto.randomUUID() });
    expect(body.status === 'captured', `${month}: captured.`);
  }
  const { status: forgotten } = await call('DELETE', `${apiUrl}/v1/customers/${elena.id}`, demo.operatorKey);
  expect(forgotten === 204, 'She leaves, and asks to be forgotten: her card is gone at MercadoPago too, and her payments name nobody soon.');

  say('10. What was written down about Carmen\'s payment:');
  for (const { at, kind, from, to, cause, detail } of (await read(told.id, '/timeline')).data) {
    say(`   ${at}  ${kind.padEnd(10)} ${`${from ?? ''}${from ? ' → ' : ''}${to ?? ''}`.padEnd(26)} ${cause}${detail ? ` (${detail})` : ''}`);
  }

  say('11. And about Rosa\'s:');
  for (const { at, kind, from, to, cause, detail } of (await read(found.id, '/timeline')).data) {
    say(`   ${at}  ${kind.padEnd(10)} ${`${from ?? ''}${from ? ' → ' : ''}${to ?? ''}`.padEnd(26)} ${cause}${detail ? ` (${detail})` : ''}`);
  }
}

/** Minor units as people read them, digit by digit. */
function major(minor) {
  const digits = String(minor).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
