// The one merchant of a run, made through /v1/admin as anybody would.
import { Trouble } from '../tools/say.mjs';

/** Makes a tenant with a Culqi account and a key of role client. */
export async function makeMerchant({ url, adminKey, secretKey }) {
  const call = async (method, at, body) => {
    const response = await fetch(`${url}/v1/admin/tenants${at}`, {
      method, body: JSON.stringify(body), headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Trouble(`${method} /v1/admin/tenants${at} was answered with ${response.status}: ${await response.text()}`);
    return response.json();
  };
  const { id } = await call('POST', '', { name: 'Bench', country: 'PE', defaultCurrency: 'PEN', email: 'bench@example.com' });
  await call('PUT', `/${id}/gateway-accounts/culqi`,
    { credentials: { publicKey: secretKey.replace('sk_', 'pk_'), secretKey }, enabled: true, environment: 'sandbox' });
  const { key } = await call('POST', `/${id}/api-keys`, { name: 'bench', role: 'client' });
  return { tenantId: id, key };
}

/** What is paid, every time. */
export const PAYMENT = {
  amount: 12_900, currency: 'PEN', reference: 'ORD-1', description: 'Plan Starter, 1 mes',
  customer: { email: 'ana@ejemplo.pe', firstName: 'Ana', lastName: 'Rojas' },
  paymentMethod: { type: 'card', tokens: { culqi: 'tkn_test_Qa1Zx9Wv7Bn3Lk5M' } },
};
