import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPayment, mintToken, paymentOf, type ProblemBody } from '../support/payments.js';
import { newMerchant, startService, type Answer, type Merchant, type Service } from '../support/service.js';
import { PLATFORM_ADMIN_KEY } from '../support/settings.js';

let service: Service;
let shop: Merchant;
beforeAll(async () => {
  service = await startService();
  shop = await newMerchant(service.ask);
});
afterAll(() => service.close());

const admin = { key: PLATFORM_ADMIN_KEY };
const tenantPath = (): string => `/v1/admin/tenants/${shop.tenantId}`;

describe('a tenant', () => {
  it('is made with defaults and read back', async () => {
    const body = { name: 'Bodega Ñandú', country: 'PE', defaultCurrency: 'PEN', email: 'bodega@ejemplo.pe' };
    const made = await service.ask<{ id: string }>({ ...admin, method: 'POST', path: '/v1/admin/tenants', body });
    expect(made).toMatchObject({ status: 201, body: { ...body, locale: 'es', id: expect.stringMatching(/^ten_/) as unknown } });
    expect((await service.ask({ ...admin, path: `/v1/admin/tenants/${made.body.id}` })).body).toEqual(made.body);
  });

  it.each([
    ['name', { name: '' }], ['country', { country: 'Peru' }], ['defaultCurrency', { defaultCurrency: 'XXX' }], ['email', { email: 'nobody' }],
    ['locale', { locale: 'fr' }], ['timeZone', { timeZone: 'Mars/Base' }], ['surprise', { surprise: 1 }],
  ])('with a wrong %s is refused, naming it', async (field, changes) => {
    const body = { name: 'Tienda', country: 'PE', defaultCurrency: 'PEN', email: 'a@ejemplo.pe', ...changes };
    const answer = await service.ask<ProblemBody>({ ...admin, method: 'POST', path: '/v1/admin/tenants', body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field }] } });
  });
});

describe('keys', () => {
  it('are shown once, listed without themselves, and are of no use from the moment they are revoked', async () => {
    const made = await service.ask<{ id: string; key: string }>({ ...admin, method: 'POST', path: `${tenantPath()}/api-keys`, body: { name: 'till', role: 'client' } });
    expect(made).toMatchObject({ status: 201, body: { role: 'client', key: expect.stringMatching(/^sk_[0-9A-Za-z]{40}$/) as unknown } });
    const list = await service.ask<{ data: { id: string }[] }>({ ...admin, path: `${tenantPath()}/api-keys` });
    expect(list.text).not.toContain(made.body.key);
    expect(list.body.data.map(({ id }) => id)).toContain(made.body.id);

    expect((await service.ask({ path: '/v1/payments', key: made.body.key })).status).toBe(200);
    expect((await service.ask({ ...admin, method: 'DELETE', path: `${tenantPath()}/api-keys/${made.body.id}` })).status).toBe(204);
    expect(await service.ask<ProblemBody>({ path: '/v1/payments', key: made.body.key })).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  });

  it('are in the database as hashes only', async () => {
    const rows = await service.tables.query<{ dump: string }>("select concat_ws('|', id, name, role, hint, hex(hash)) as dump from api_keys where tenant_id = ?", [shop.tenantId]);
    for (const { dump } of rows) for (const key of [shop.client, shop.operator, shop.admin]) expect(dump).not.toContain(key.slice(3, 20));
  });

  it.each<[string, () => Promise<Answer<ProblemBody>>, number]>([
    ['nobody\'s', () => service.ask({ path: '/v1/payments' }), 401],
    ['unknown', () => service.ask({ path: '/v1/payments', key: 'sk_unknown' }), 401],
    ['the platform\'s, for payments', () => service.ask({ path: '/v1/payments', ...admin }), 403],
    ['a client\'s, for administration', () => service.ask({ path: tenantPath(), key: shop.client }), 403],
    ['an admin\'s, for its own tenant', () => service.ask({ path: tenantPath(), key: shop.admin }), 200],
    ['an admin\'s, to make tenants', () => service.ask({ method: 'POST', path: '/v1/admin/tenants', key: shop.admin, body: {} }), 403],
    ['a wrong scheme', () => service.ask({ path: '/v1/payments', headers: { authorization: `Basic ${shop.client}` } }), 401],
  ])('%s: answered as such', async (_whose, ask, status) => {
    expect((await ask()).status).toBe(status);
  });

  it('of an admin see another tenant as one that does not exist', async () => {
    const other = await newMerchant(service.ask);
    expect(await service.ask<ProblemBody>({ path: `/v1/admin/tenants/${other.tenantId}`, key: shop.admin })).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const revoked = await service.ask<ProblemBody>({ method: 'DELETE', path: `/v1/admin/tenants/${other.tenantId}/api-keys/key_00000000000000000000000000`, key: shop.admin });
    expect(revoked).toMatchObject({ status: 404 });
  });
});

describe('a gateway account', () => {
  const put = (body: unknown, gateway = 'culqi') => service.ask<ProblemBody & { version: number; credentials: Record<string, string> }>({
    ...admin, method: 'PUT', path: `${tenantPath()}/gateway-accounts/${gateway}`, body,
  });
  const credentials = { publicKey: 'pk_test_abcdefghijklmnop', secretKey: 'sk_test_abcdefghijklmnop' };

  it('shows its public key and masks its secrets, and is stored sealed', async () => {
    const { status, body, text } = await put({ credentials: { ...credentials, webhookUser: 'hook', webhookPassword: 'a-long-enough-password' }, enabled: true, environment: 'sandbox' });
    expect(status).toBe(200);
    expect(body.credentials).toEqual({ publicKey: credentials.publicKey, secretKey: '…mnop', webhookUser: '…', webhookPassword: '…word' });
    expect(text).not.toContain(credentials.secretKey);
    const rows = await service.tables.query<{ credentials_sealed: string }>('select credentials_sealed from gateway_accounts where tenant_id = ?', [shop.tenantId]);
    for (const row of rows) expect(row.credentials_sealed).not.toContain('mnop');
  });

  it('is a new version with each change; payments keep theirs, and a disabled one takes no new payments', async () => {
    const seller = await newMerchant(service.ask);
    const token = await mintToken(service.sandbox.url, seller);
    const path = `/v1/admin/tenants/${seller.tenantId}/gateway-accounts/culqi`;
    const own = { publicKey: seller.culqi.publicKey, secretKey: seller.culqi.secretKey };
    const made = await createPayment(service, seller.client, paymentOf(token));
    const disabled = await service.ask<{ version: number }>({ ...admin, method: 'PUT', path, body: { credentials: own, enabled: false, environment: 'sandbox' } });
    expect(disabled.body.version).toBe(2);
    expect(await createPayment(service, seller.client, paymentOf(token))).toMatchObject({ status: 422, body: { code: 'no_eligible_gateway' } });
    // Look-ups of old payments go on.
    expect(await service.ask({ method: 'POST', path: `/v1/payments/${made.body.id}/sync`, key: seller.operator })).toMatchObject({ status: 200 });
    const list = await service.ask<{ data: { version: number }[] }>({ ...admin, path: `/v1/admin/tenants/${seller.tenantId}/gateway-accounts` });
    expect(list.body.data).toMatchObject([{ gateway: 'culqi', version: 2, enabled: false }]);
  });

  it('says how its PSP is to be used, in words of that PSP\'s, and does not go back from orders', async () => {
    const account = { credentials: { accessToken: 'APP_USR-sec-abcdef', publicKey: 'APP_USR-pub-abcdef', webhookSecret: 'whsec-abcdef' }, enabled: true, environment: 'sandbox' };
    const set = (settings: object | undefined, gateway = 'mercadopago', given: object = account) => put({ ...given, ...(settings === undefined ? {} : { settings }) }, gateway);
    expect((await set(undefined)).body).toMatchObject({ version: 1, settings: {} });
    for (const settings of [{ api: 'qr' }, { api: 1 }, { surprise: 1 }]) expect(await set(settings)).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field: `settings.${Object.keys(settings)[0]}` }] } });
    expect(await set({ api: 'payments' }, 'culqi', { credentials, enabled: true, environment: 'sandbox' })).toMatchObject({ status: 400, body: { errors: [{ field: 'settings.api' }] } });
    expect((await set({ api: 'orders' })).body).toMatchObject({ version: 2, settings: { api: 'orders' } });
    for (const settings of [undefined, {}, { api: 'payments' }]) expect(await set(settings)).toMatchObject({ status: 400, body: { errors: [{ field: 'settings.api' }] } });
    expect((await set({ api: 'orders' })).body).toMatchObject({ version: 3 });
  });

  it.each([
    ['a key of the other environment', { credentials, enabled: true, environment: 'production' }, 422],
    ['keys of two environments', { credentials: { ...credentials, publicKey: 'pk_live_abcdefghijklmnop' }, enabled: true, environment: 'sandbox' }, 422],
    ['a missing key', { credentials: { publicKey: credentials.publicKey }, enabled: true, environment: 'sandbox' }, 400],
    ['an unknown credential', { credentials: { ...credentials, password: 'x' }, enabled: true, environment: 'sandbox' }, 400],
    ['no credentials', { enabled: true, environment: 'sandbox' }, 400],
  ])('with %s is refused, and no value is repeated', async (_fault, body, status) => {
    const answer = await put(body);
    expect(answer.status).toBe(status);
    expect(answer.body.errors?.length).toBeGreaterThan(0);
    expect(answer.text).not.toContain('abcdefghijklmnop');
  });

  it('of an unknown gateway is not found', async () => {
    expect(await put({ credentials, enabled: true, environment: 'sandbox' }, 'paypal')).toMatchObject({ status: 404 });
  });

  it('that the PSP does not accept fails payments as misconfigured', async () => {
    const seller = await newMerchant(service.ask);
    const token = await mintToken(service.sandbox.url, seller);
    // Keys that look right and that the emulator does not take.
    await service.ask({ ...admin, method: 'PUT', path: `/v1/admin/tenants/${seller.tenantId}/gateway-accounts/culqi`, body: { credentials: { publicKey: 'pk_test_abc-def', secretKey: 'sk_test_abc-def' }, enabled: true, environment: 'sandbox' } });
    expect(await createPayment(service, seller.client, paymentOf(token))).toMatchObject({ status: 201, body: { status: 'failed', failure: { code: 'gateway_misconfigured' } } });
  });
});
