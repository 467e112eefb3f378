import { minorUnitDigits, type Currency } from './currency.js';
import type { Money } from './money.js';

/** What a provider takes of a payment in one currency: a share, a fixed part, and a tax on both. */
export type FeeRule = {
  currency: Currency;
  /** Of payments with this method alone; without it, of all. */
  method?: string;
  /** Basis points of the amount: 150 is 1.5 %. */
  percentBps: number;
  /** In minor units of its own currency; `rate`, in decimal text, is what one major unit of that costs in the payment's currency. */
  fixed?: { amount: number; currency: Currency; rate?: string };
  /** Basis points of share and fixed part together. */
  taxBps?: number;
};

/** Parts of a fee in minor units: fee = percent + fixed + tax. */
export type FeeParts = { percentMinor: bigint; fixedMinor: bigint; taxMinor: bigint };

const BPS = 10_000n;

/** The rule for a payment: the one for its method, else the one for its currency; undefined when there is none. */
export function ruleFor(rules: readonly FeeRule[], currency: Currency, method: string): FeeRule | undefined {
  const ofCurrency = rules.filter((rule) => rule.currency === currency);
  return ofCurrency.find((rule) => rule.method === method) ?? ofCurrency.find((rule) => rule.method === undefined);
}

/** What a rule takes of an amount, each part rounded half up to the minor unit. Exact: no float is involved (invariant I20, trap T5). */
export function feeOf({ amountMinor, currency }: Money, { percentBps, fixed, taxBps = 0 }: FeeRule): FeeParts {
  const percentMinor = halfUp(amountMinor * BigInt(percentBps), BPS);
  const fixedMinor = fixed === undefined ? 0n : converted(fixed, currency);
  return { percentMinor, fixedMinor, taxMinor: halfUp((percentMinor + fixedMinor) * BigInt(taxBps), BPS) };
}

export function totalOf({ percentMinor, fixedMinor, taxMinor }: FeeParts): bigint {
  return percentMinor + fixedMinor + taxMinor;
}

/** A rate as it may be written: at most nine digits before the point and eight after. */
export const RATE = /^(0|[1-9][0-9]{0,8})(?:\.([0-9]{1,8}))?$/;

function converted({ amount, currency, rate }: NonNullable<FeeRule['fixed']>, into: Currency): bigint {
  if (currency === into) return BigInt(amount);
  const [, whole = '', fraction = ''] = RATE.exec(rate ?? '') ?? [];
  if (whole === '') throw new RangeError(`a fixed fee in ${currency} needs a rate for payments in ${into}`);
  const digits = minorUnitDigits(into) - minorUnitDigits(currency);
  const numerator = BigInt(amount) * BigInt(whole + fraction) * 10n ** BigInt(Math.max(digits, 0));
  return halfUp(numerator, 10n ** BigInt(fraction.length + Math.max(-digits, 0)));
}

/** For what is not negative: the nearest whole number, and the larger of two that are equally near. */
function halfUp(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator);
}
