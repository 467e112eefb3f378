// The demo tenant of `npm run up`, made through the API as anybody would, and the curl that pays with it.
import crypto from 'node:crypto';
import path from 'node:path';
import { step, Trouble } from './say.mjs';
import { keep, kept } from './secrets.mjs';

/** The demo tenant's keys: the kept ones while the database still knows them, else those of a new tenant. */
export async function demoTenant({ home, apiUrl, secrets }) {
  const file = path.join(home, 'demo.json');
  const encryptedWith = crypto.createHash('sha256').update(secrets.encryptionKeys).digest('hex').slice(0, 16);
  const known = kept(file);
  if (known?.encryptedWith === encryptedWith && known.mercadopagoPublicKey && (await isAccepted(apiUrl, known.clientKey))) return known;
  return step('making the demo tenant', async () => {
    const call = (method, at, body) => request(`${apiUrl}/v1/admin/tenants${at}`, method, secrets.platformAdminKey, body);
    const { id } = await call('POST', '', { name: 'Demo', country: 'PE', defaultCurrency: 'PEN', email: 'demo@example.com' });
    const publicKey = `pk_test_${secrets.culqiAccount}`;
    await call('PUT', `/${id}/gateway-accounts/culqi`,
      { credentials: { publicKey, secretKey: `sk_test_${secrets.culqiAccount}` }, enabled: true, environment: 'sandbox' });
    const pixelpayPublicKey = `pub_test_${secrets.culqiAccount}`;
    await call('PUT', `/${id}/gateway-accounts/pixelpay`,
      { credentials: { apiKey: `pk_test_${secrets.culqiAccount}`, publicKey: pixelpayPublicKey, webhookSecret: `whsec_${secrets.culqiAccount}` }, enabled: true, environment: 'sandbox' });
    const mercadopagoPublicKey = `APP_USR-pub-${secrets.culqiAccount}`;
    await call('PUT', `/${id}/gateway-accounts/mercadopago`,
      { credentials: { accessToken: `APP_USR-sec-${secrets.culqiAccount}`, publicKey: mercadopagoPublicKey, webhookSecret: `whsec-${secrets.culqiAccount}` }, enabled: true, environment: 'sandbox' });
    const keyFor = async (role) => (await call('POST', `/${id}/api-keys`, { name: `demo ${role}`, role })).key;
    const demo = { tenantId: id, clientKey: await keyFor('client'), operatorKey: await keyFor('operator'), culqiPublicKey: publicKey, pixelpayPublicKey, mercadopagoPublicKey, encryptedWith };
    keep(file, demo);
    return demo;
  });
}

/** Has each emulator post the demo tenant's webhooks to the service, as a merchant sets it in the PSP's panel. */
export async function listenToWebhooks({ apiUrl, emulators, demo }) {
  const suffix = demo.culqiPublicKey.replace(/^pk_test_/, '');
  for (const [gateway, url] of Object.entries(emulators)) {
    await request(`${url}/_control/webhooks`, 'PUT', 'none', { merchant: suffix, url: `${apiUrl}/webhooks/${gateway}/${demo.tenantId}` });
  }
}

async function isAccepted(apiUrl, key) {
  const response = await fetch(`${apiUrl}/v1/payments?limit=1`, { headers: { authorization: `Bearer ${key}` }, signal: AbortSignal.timeout(10_000) });
  return response.status === 200;
}

async function request(url, method, key, body) {
  const response = await fetch(url, {
    method, body: JSON.stringify(body), headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Trouble(`${method} ${url} was answered with ${response.status}: ${await response.text()}`);
  return response.json();
}

/** A payment to paste into a shell, as often as one likes: it mints its token at the emulator and makes its own idempotency key. */
export function paymentCurl({ apiUrl, sandboxUrl, demo }) {
  const card = { card_number: '4111111111111111', cvv: '123', expiration_month: '12', expiration_year: '2030', email: 'ana@ejemplo.pe' };
  return `TOKEN=$(curl -sS ${sandboxUrl}/v2/tokens \\
  -H 'Authorization: Bearer ${demo.culqiPublicKey}' -H 'Content-Type: application/json' \\
  -d '${JSON.stringify(card)}' \\
  | grep -o 'tkn_test_[0-9A-Za-z]*' | head -n 1)
curl -sS ${apiUrl}/v1/payments \\
  -H 'Authorization: Bearer ${demo.clientKey}' -H 'Content-Type: application/json' \\
  -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" \\
  -d '{"amount":12900,"currency":"PEN","reference":"ORD-1","description":"Plan Starter, 1 mes",
       "customer":{"email":"ana@ejemplo.pe","firstName":"Ana","lastName":"Rojas"},
       "paymentMethod":{"type":"card","tokens":{"culqi":"'"$TOKEN"'"}}}'; echo`;
}
