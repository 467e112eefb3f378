// `npm run demo`: a payment, a decline, a repeat, a lost reply that is found again, and what the service wrote down, told as it happens.
import crypto from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { say, Trouble } from './say.mjs';

const VISA = { card_number: '4111111111111111', cvv: '123' };
const WITHOUT_FUNDS = { card_number: '4000040000000008', cvv: '295' };

/** Plays the story against a running service and its emulator. @throws Trouble when it does not go as told */
export async function tellStory({ apiUrl, sandboxUrl, demo }) {
  const call = async (method, url, key, body, headers = {}) => {
    const response = await fetch(url, {
      method, headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }), ...headers }, body: body && JSON.stringify(body), signal: AbortSignal.timeout(30_000),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const mint = async (card) => (await call('POST', `${sandboxUrl}/v2/tokens`, demo.culqiPublicKey,
    { ...card, expiration_month: '12', expiration_year: '2030', email: 'ana@ejemplo.pe' })).body.id;
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

  say('5. What was written down about Rosa\'s payment:');
  for (const { at, kind, from, to, cause, detail } of (await read(found.id, '/timeline')).data) {
    say(`   ${at}  ${kind.padEnd(10)} ${`${from ?? ''}${from ? ' → ' : ''}${to ?? ''}`.padEnd(26)} ${cause}${detail ? ` (${detail})` : ''}`);
  }
}

/** Minor units as people read them, digit by digit. */
function major(minor) {
  const digits = String(minor).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
