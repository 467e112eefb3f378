import { describe, expect, it } from '@jest/globals';
import { Type } from 'class-transformer';
import { IsEmail, IsInt, IsObject, IsOptional, ValidateNested } from 'class-validator';
import { Problem } from '../../shared/problem.js';
import { StrictValidationPipe } from './validation.js';
import { IsCurrencyCode, IsMetadata, IsMinorAmount, IsText, IsVisibleAscii } from './validators.js';

class CustomerDto {
  @IsEmail()
  email!: string;
}

class OrderDto {
  @IsMinorAmount()
  amount!: number;

  @IsOptional() @IsCurrencyCode()
  currency?: string;

  @IsOptional() @IsText(5)
  reference?: string;

  @IsOptional() @IsVisibleAscii(255)
  token?: string;

  @IsOptional() @IsMetadata()
  metadata?: Record<string, string>;

  @IsOptional() @IsInt()
  installments?: number;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => CustomerDto)
  customer?: CustomerDto;
}

const read = (body: unknown) => new StrictValidationPipe().transform(body, { type: 'body', metatype: OrderDto });

async function errorsOf(body: unknown): Promise<string[]> {
  const problem: unknown = await read(body).then(() => undefined, (error: unknown) => error);
  if (!(problem instanceof Problem)) throw new Error('the input was accepted');
  expect({ code: problem.code, status: problem.status }).toEqual({ code: 'validation_failed', status: 400 });
  return (problem.errors ?? []).map(({ field, message }) => `${field} ${message}`).sort();
}

describe('an input', () => {
  it('that is right comes through as it was sent', async () => {
    const body = {
      amount: 9_007_199_254_740_991, currency: 'XXX', reference: 'Ñ 😀!', token: '~!x', metadata: { k: 'a\nb', empty: '' }, installments: 3, customer: { email: 'ana@ejemplo.pe' },
    };
    const order = await read(body);
    expect(order).toBeInstanceOf(OrderDto);
    expect(JSON.parse(JSON.stringify(order))).toEqual(body);
  });

  it('is told everything that is wrong at once, by field and without values', async () => {
    const body = { amount: 'CANARY', currency: 'pen', reference: '', surprise: 'CANARY', customer: { email: 'CANARY', status: 'CANARY' }, installments: '3' };
    expect(await errorsOf(body)).toEqual([
      'amount must be an integer from 1 to 9007199254740991, in minor units', 'currency must be three capital letters (ISO 4217)', 'customer.email must be an email',
      'customer.status is not known', 'installments must be an integer number', 'reference must be text of 1 to 5 characters, on one line', 'surprise is not known',
    ]);
  });

  it('that is missing is told so once', async () => {
    expect(await errorsOf({})).toEqual(['amount is required']);
    expect(await errorsOf(undefined)).toEqual(['amount is required']);
    expect(await errorsOf({ amount: 1, customer: 'x' })).toContain('customer must be an object');
    expect(await errorsOf({ amount: 1, customer: {} })).toEqual(['customer.email is required']);
  });

  it.each([[[]], ['amount'], [5], [true], [null]])('is an object: %j is none', async (body) => {
    expect(await errorsOf(body)).toEqual([]);
  });

  it('is never told a thousand errors, nor a name of a thousand letters', async () => {
    const errors = await errorsOf({ amount: 1, ...Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`${'x'.repeat(1_000)}${i}`, 1])) });
    expect(errors).toHaveLength(50);
    expect(Math.max(...errors.map(({ length }) => length))).toBeLessThan(300);
  });
});

describe('a rule', () => {
  it.each([0, -1, 1.5, -0, '1', null, true, [1], {}, Number.NaN, 2 ** 53])('of amounts refuses %p', async (amount) => {
    expect(await errorsOf({ amount })).toHaveLength(1);
  });

  it.each(['pen', 'PE', 'PENS', 'PÉN', 'P N', 604])('of currencies refuses %p', async (currency) => {
    expect(await errorsOf({ amount: 1, currency })).toHaveLength(1);
  });

  it.each(['a\nb', 'a\u0000', '123456', '\u202e😀😀😀😀😀', 5, '\u0085', '', '\ud83d'])('of text of five characters on one line refuses %j', async (reference) => {
    expect(await errorsOf({ amount: 1, reference })).toHaveLength(1);
  });

  it.each([
    { a: 1 }, { a: null }, { a: { b: 'c' } }, [], 'x', { '': 'x' }, { ['k'.repeat(41)]: 'x' }, { a: 'x'.repeat(501) }, { a: '\u0000' }, { 'a\nb': 'x' },
    Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'x'])),
  ])('of metadata refuses what is not flat and small (%#)', async (metadata) => {
    expect(await errorsOf({ amount: 1, metadata })).toHaveLength(1);
  });

  it.each(['', 'a b', 'ñ', 'x'.repeat(256), 'a\n', 7])('of opaque tokens refuses %j', async (token) => {
    expect(await errorsOf({ amount: 1, token })).toHaveLength(1);
  });
});
