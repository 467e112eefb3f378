import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createPayment, mintToken, paymentOf, VISA } from '../support/payments.js';
import { newMerchant, startService, type Service } from '../support/service.js';
import { PLATFORM_ADMIN_KEY } from '../support/settings.js';
import { dumpOf } from '../support/test-database.js';

let service: Service;
beforeAll(async () => { service = await startService(); });
afterAll(() => service.close());

it('no token, key or card number stands in any column in clear (I16)', async () => {
  const shop = await newMerchant(service.ask);
  const tokens: string[] = [];
  const pay = async (changes: Record<string, unknown>, card = VISA, email = 'ana@ejemplo.pe') => {
    const token = await mintToken(service.sandbox.url, shop, card, email);
    tokens.push(token);
    return createPayment(service, shop.client, paymentOf(token, changes));
  };
  expect((await pay({})).body.status).toBe('captured');
  expect((await pay({ confirm: false })).body.status).toBe('created');
  expect((await pay({}, { number: '4000040000000008', cvv: '295' })).body.status).toBe('failed');
  expect((await pay({ customer: { email: 'review@culqi.com' } }, { number: '4456530000001096', cvv: '111' }, 'review@culqi.com')).body.status).toBe('requires_action');
  service.sandbox.faults.add({ route: 'POST /v2/charges', kind: 'reset_after_booking' });
  expect((await pay({})).body.status).toBe('processing');

  const text = await dumpOf(service.tables);
  expect(text).toContain(shop.tenantId);
  for (const secret of [...tokens, shop.culqi.secretKey, shop.client, shop.operator, shop.admin, PLATFORM_ADMIN_KEY, VISA.number, '4000040000000008', '4456530000001096']) expect(text).not.toContain(secret);
});
