import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../shared/problem.js';
import { refuseCardData } from './card-data.js';

const PAN = '4111111111111111';

function fieldOf(value: unknown): string | null {
  try {
    refuseCardData(value);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    const { code, status, errors, detail } = error as Problem;
    expect({ code, status }).toEqual({ code: 'card_data_not_accepted', status: 400 });
    expect(JSON.stringify({ errors, detail })).not.toContain(PAN);
    return errors?.[0]?.field ?? '';
  }
}

describe('card data', () => {
  it.each([
    'cardNumber', 'card_number', 'CARD-NUMBER', 'card number', 'cardNo', 'ccNumber', 'cc_num', 'creditCardNumber', 'debit_card_number', 'pan', 'PAN', 'card_pan', 'primaryAccountNumber',
    'cvv', 'CVV2', 'cvc', 'cvc2', 'cvn', 'csc', 'securityCode', 'security_code', 'cardSecurityCode', 'cardCvv', 'cvv_code', 'cardVerificationValue', 'numeroTarjeta', 'número_de_tarjeta', 'codigoSeguridad',
  ])('is a property named %s, anywhere and whatever its value', (name) => {
    expect(fieldOf({ [name]: '1' })).toBe(name);
    expect(fieldOf({ metadata: { list: [{}, { [name]: null }] } })).toBe(`metadata.list.1.${name}`);
  });

  it('is a number or code within a card', () => {
    expect(fieldOf({ paymentMethod: { card: { number: '1' } } })).toBe('paymentMethod.card.number');
    expect(fieldOf({ credit_card: { Number: '1' } })).toBe('credit_card.Number');
  });

  it.each([
    { customer: { document: { type: 'DNI', number: '12345678' }, phone: '+51999000111', address: { line1: 'Av. 1' } } },
    { paymentMethod: { card: { bin: '411111', last4: '1111', brand: 'visa' }, tokens: { culqi: 'tkn_test_4111111111111111', mercadopago: 'ff8080814c11e237014c1ff593b57b4d' } } },
    { eci: '05', xid: 'x', cavv: 'AAABBEg0VhI0VniQEjRWAAAAAAA=' }, { metadata: { subscriptionId: 'f47ac10b-58cc-4372-a567-0e02b2c3d479', company: 'Panadería Pan y Más' } },
    { amount: 4_111_111_111_111_111 }, { cardNumberLast4: '1111', panel: 1, cvvResult: 'M' },
  ])('is not what merely resembles it (%#)', (body) => {
    expect(fieldOf(body)).toBeNull();
  });

  it('is a card number in any text, also in a name, a number or the place of a token', () => {
    expect(fieldOf({ description: `card 4111 1111 1111 1111 please` })).toBe('description');
    expect(fieldOf({ metadata: { [PAN]: 'x' } })).toBe('metadata.[card number]');
    expect(fieldOf({ metadata: { n: Number(PAN) } })).toBe('metadata.n');
    expect(fieldOf({ paymentMethod: { tokens: { culqi: PAN } } })).toBe('paymentMethod.tokens.culqi');
    expect(fieldOf(['a', ['4111-1111-1111-1111']])).toBe('1.0');
    expect(fieldOf(PAN)).toBe('');
  });

  it('is found at any place of any body, and nowhere in a body without', () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 5 }, fc.lorem(), fc.uuid(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(fc.lorem({ maxCount: 1 }), tie('value'), { maxKeys: 4 })),
    }));
    fc.assert(fc.property(value, fc.array(fc.lorem({ maxCount: 1 }), { minLength: 1, maxLength: 6 }), (body, path) => {
      expect(fieldOf(body)).toBeNull();
      const planted = path.reduceRight<unknown>((inner, name) => ({ a: body, [name]: inner }), PAN);
      expect(fieldOf(planted)).toBe(path.join('.'));
    }));
  });
});
