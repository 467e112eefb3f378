import { ValidateBy } from 'class-validator';
import { RATE } from '../../shared/fees.js';

/** One rule for a property, with the words its refusal is told in. The value never stands in them. */
function rule(name: string, message: string, validate: (value: unknown) => boolean): PropertyDecorator {
  return ValidateBy({ name, validator: { validate, defaultMessage: () => message } });
}

/** A JSON number that is an amount in minor units: an integer from 1 to 2⁵³−1. */
export function IsMinorAmount(): PropertyDecorator {
  return rule('isMinorAmount', 'must be an integer from 1 to 9007199254740991, in minor units', (value) => Number.isSafeInteger(value) && Number(value) >= 1);
}

/** A rate of exchange: a positive decimal of at most nine digits before the point and eight after, as text or as a JSON number. */
export function IsFeeRate(): PropertyDecorator {
  return rule('isFeeRate', 'must be a positive decimal with at most 9 digits before the point and 8 after', (value) =>
    (typeof value === 'string' || typeof value === 'number') && RATE.test(String(value)) && /[1-9]/.test(String(value)));
}

/** Three capital letters. Whether the service knows the currency is another question: `currency_not_supported`. */
export function IsCurrencyCode(): PropertyDecorator {
  return rule('isCurrencyCode', 'must be three capital letters (ISO 4217)', (value) => typeof value === 'string' && /^[A-Z]{3}$/.test(value));
}

/** Text on one line, in any script, of 1 to `lengthMax` characters (code points, as the database counts). It is kept as it is. */
export function IsText(lengthMax: number): PropertyDecorator {
  return rule('isText', `must be text of 1 to ${lengthMax} characters, on one line`, (value) => isText(value, 1, lengthMax) && !CONTROL.test(value));
}

/** 1 to `lengthMax` visible ASCII characters: an opaque token, key or reference. */
export function IsVisibleAscii(lengthMax: number): PropertyDecorator {
  return rule('isVisibleAscii', `must be 1 to ${lengthMax} visible ASCII characters`, (value) => isText(value, 1, lengthMax) && /^[\x21-\x7e]+$/.test(value));
}

const METADATA_KEYS_MAX = 50;
const METADATA_KEY_LENGTH_MAX = 40;
const METADATA_VALUE_LENGTH_MAX = 500;

/** A flat object of text: at most 50 keys of 1 to 40 characters, values of at most 500. */
export function IsMetadata(): PropertyDecorator {
  const message = `must be a flat object of text: at most ${METADATA_KEYS_MAX} keys of 1 to ${METADATA_KEY_LENGTH_MAX} characters, values of at most ${METADATA_VALUE_LENGTH_MAX}`;
  return rule('isMetadata', message, (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const entries = Object.entries(value);
    return entries.length <= METADATA_KEYS_MAX && entries.every(([key, text]) => (
      isText(key, 1, METADATA_KEY_LENGTH_MAX) && !CONTROL.test(key) && isText(text, 0, METADATA_VALUE_LENGTH_MAX) && !CONTROL_BUT_LINES.test(text)));
  });
}

const LONE_SURROGATE = /\p{Cs}/u;
const CONTROL = /\p{Cc}/u;
const CONTROL_BUT_LINES = /(?![\t\n\r])\p{Cc}/u;

function isText(value: unknown, lengthMin: number, lengthMax: number): value is string {
  if (typeof value !== 'string' || value.length > 2 * lengthMax || LONE_SURROGATE.test(value)) return false;
  const length = [...value].length;
  return length >= lengthMin && length <= lengthMax;
}
