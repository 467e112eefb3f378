import { describe, expect, it } from '@jest/globals';
import type { GatewayDefinition } from '../../src/gateways/contract/gateway-definition.js';
import type { GatewayError } from '../../src/gateways/contract/gateway-error.js';
import { gatewayDefinition } from '../../src/gateways/gateways.js';
import { systemClock, TimeWindow } from '../../src/shared/clock.js';
import { money } from '../../src/shared/money.js';
import type { Currency } from '../../src/shared/currency.js';

const CREDENTIALS: Record<string, Record<string, string>> = {
  culqi: { publicKey: 'pk_test_abcdefghijkl', secretKey: 'sk_test_abcdefghijkl' }, pixelpay: { apiKey: 'pk_test_abcdef', publicKey: 'pub_test_abcdef', webhookSecret: 'whsec_abcdef' },
  mercadopago: { accessToken: 'APP_USR-sec-abcdef', publicKey: 'APP_USR-pub-abcdef', webhookSecret: 'whsec-abcdef' },
};
type Row = readonly [gateway: string, settings: Record<string, unknown>, currency: Currency, minor: bigint, onTheWire: string];

/** What stands in the request for an amount: minor units at Culqi and PixelPay, a decimal number at MercadoPago's payments and a decimal text at its orders (row F1). */
const GOLDEN: readonly Row[] = [
  ...(['PEN', 'USD'] as const).flatMap((currency): Row[] => [['culqi', {}, currency, 12_900n, '"amount":12900'], ['culqi', {}, currency, 115n, '"amount":115'], ['culqi', {}, currency, 999_900n, '"amount":999900']]),
  ...(['DOP', 'USD', 'EUR'] as const).flatMap((currency): Row[] => [['pixelpay', {}, currency, 12_901n, '"amount":12901'], ['pixelpay', {}, currency, 100n, '"amount":100'], ['pixelpay', {}, currency, 5_000_000n, '"amount":5000000']]),
  ...(['PEN', 'MXN', 'ARS', 'BRL', 'COP', 'UYU'] as const).flatMap((currency): Row[] => [
    ['mercadopago', {}, currency, 12_900n, '"transaction_amount":129,'], ['mercadopago', {}, currency, 115n, '"transaction_amount":1.15,'], ['mercadopago', {}, currency, 1_000_001n, '"transaction_amount":10000.01,'],
    ['mercadopago', {}, currency, 999_999_999_999n, '"transaction_amount":9999999999.99,'], ['mercadopago', { api: 'orders' }, currency, 12_900n, '"total_amount":"129.00"'], ['mercadopago', { api: 'orders' }, currency, 105n, '"total_amount":"1.05"'],
  ]),
  // No minor unit.
  ['mercadopago', {}, 'CLP', 12_900n, '"transaction_amount":12900,'], ['mercadopago', { api: 'orders' }, 'CLP', 12_900n, '"total_amount":"12900"'],
];

describe('an amount goes out in the PSP\'s form, to the digit', () => {
  it.each(GOLDEN)('%s %j %s %d is %s', async (code, settings, currency, amountMinor, onTheWire) => {
    const definition: GatewayDefinition = gatewayDefinition(code);
    const bodies: string[] = [];
    const gateway = definition.create({
      credentials: CREDENTIALS[code] ?? {}, environment: 'sandbox', settings, hosts: Object.fromEntries(Object.keys(definition.hosts).map((name) => [name, new URL('http://psp.example')])),
      send: ({ body }) => { bodies.push(body ?? ''); return Promise.resolve({ status: 500, headers: {}, body: '' }); }, window: TimeWindow.open(systemClock, 1_000), now: () => new Date(),
    });
    const method = { type: 'card' as const, token: 'tok_0123456789', installments: 1, options: { paymentMethodId: 'visa' } };
    await gateway.createPayment({ attemptId: 'att_1', paymentId: 'pay_1', amount: money(amountMinor, currency), capture: 'automatic', method, description: null, customer: { email: 'ana@ejemplo.pe' } })
      .catch((error: unknown) => { expect((error as GatewayError).kind).toBe('outcome_unknown'); });
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toContain(onTheWire);
  });

  it('is tried in every currency that a PSP takes', () => {
    for (const code of Object.keys(CREDENTIALS)) expect(new Set(GOLDEN.filter(([gateway]) => gateway === code).map(([, , currency]) => currency))).toEqual(new Set(Object.keys(gatewayDefinition(code).profile.limits)));
  });
});
