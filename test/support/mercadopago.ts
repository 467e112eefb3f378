import { randomUUID } from 'node:crypto';
import { rememberCanaries, PLATFORM_ADMIN_KEY } from './settings.js';
import type { Answer, Merchant, Service } from './service.js';

export const MERCADOPAGO_VISA = '4009175332806176';

/** A merchant's account at the MercadoPago emulator: its keys end in `suffix`. */
export type MercadopagoAccount = { suffix: string; merchant: string; accessToken: string; publicKey: string; webhookSecret: string };

export function newMercadopagoAccount(suffix = randomUUID().replaceAll('-', '').slice(0, 12)): MercadopagoAccount {
  const account = { suffix, merchant: `mp_${suffix}`, accessToken: `APP_USR-sec-${suffix}`, publicKey: `APP_USR-pub-${suffix}`, webhookSecret: `whsec-${suffix}` };
  rememberCanaries([account.accessToken, account.webhookSecret]);
  return account;
}

/** Gives the tenant this account; `changes`: fees, settings. */
export function putMercadopagoAccount(service: Pick<Service, 'ask'>, { tenantId }: Merchant, { accessToken, publicKey, webhookSecret }: MercadopagoAccount, changes: object = {}): Promise<Answer<{ version: number }>> {
  return service.ask({
    method: 'PUT', path: `/v1/admin/tenants/${tenantId}/gateway-accounts/mercadopago`, key: PLATFORM_ADMIN_KEY, body: { credentials: { accessToken, publicKey, webhookSecret }, enabled: true, environment: 'sandbox', ...changes },
  });
}

/** A card's token, minted as a browser would. The cardholder's name decides what becomes of it (psp/mercadopago.md §11). */
export async function mintMercadopagoToken(url: string, { publicKey }: MercadopagoAccount, name = 'APRO', number = MERCADOPAGO_VISA): Promise<string> {
  const response = await fetch(`${url}/v1/card_tokens?public_key=${publicKey}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ card_number: number, security_code: '123', expiration_month: 11, expiration_year: 2030, cardholder: { name } }),
  });
  const { id } = await response.json() as { id: string };
  rememberCanaries([id]);
  return id;
}
