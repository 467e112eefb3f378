/** Checks of single request fields. Culqi's samples send numbers and digit strings alike. */
export type FieldRule = (value: unknown) => boolean;

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The whole number a field holds, as a number or as digits; null if it holds none. */
export function wholeOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

export const text = (lengthMin: number, lengthMax: number): FieldRule => (value) =>
  typeof value === 'string' && value.length >= lengthMin && value.length <= lengthMax;

export const digits = (lengthMin: number, lengthMax: number): FieldRule => (value) =>
  (typeof value === 'string' || typeof value === 'number') && /^\d+$/.test(String(value)) && text(lengthMin, lengthMax)(String(value));

export const whole = (min: number, max: number): FieldRule => (value) => {
  const number = wholeOf(value);
  return number !== null && number >= min && number <= max;
};

export const pattern = (form: RegExp): FieldRule => (value) => typeof value === 'string' && form.test(value);

export const optional = (rule: FieldRule): FieldRule => (value) => value === undefined || value === null || rule(value);

export const email: FieldRule = (value) => text(5, 50)(value) && pattern(/^[^\s@]+@[^\s@]+$/)(value);

/** At most 20 pairs of a key ≤ 30 and a flat value ≤ 200 characters. */
export const metadata: FieldRule = (value) => {
  if (!isObject(value)) return false;
  const pairs = Object.entries(value);
  const isShort = (one: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof one) && String(one).length <= 200;
  return pairs.length <= 20 && pairs.every(([key, one]) => key.length <= 30 && isShort(one));
};

/** The first field that breaks its rule, by its path; null if all hold. */
export function brokenField(body: JsonObject, rules: Record<string, FieldRule>): string | null {
  return Object.entries(rules).find(([field, rule]) => !rule(body[field]))?.[0] ?? null;
}
