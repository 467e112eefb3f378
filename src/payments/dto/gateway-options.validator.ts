import { registerDecorator } from 'class-validator';
import { GATEWAY_CODES } from '../../gateways/gateways.js';

const OPTIONS_MAX = 20;

/** An object of PSP names, each with a flat object of at most 20 texts, numbers or booleans: what one PSP wants to know beside. */
export function IsGatewayOptions(): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'isGatewayOptions', target: target.constructor, propertyName: String(propertyName),
      validator: { validate: areOptions, defaultMessage: () => `must name gateways, each with a flat object of at most ${OPTIONS_MAX} texts of 255 characters, numbers or booleans` },
    });
  };
}

function areOptions(value: unknown): boolean {
  return isPlain(value) && Object.entries(value).every(([name, options]) => GATEWAY_CODES.includes(name) && isPlain(options) && areScalars(Object.entries(options)));
}

function areScalars(entries: [string, unknown][]): boolean {
  return entries.length <= OPTIONS_MAX && entries.every(([name, value]) => name.length <= 40
    && ((typeof value === 'string' && value.length <= 255 && !/\p{Cc}|\p{Cs}/u.test(value)) || typeof value === 'boolean' || Number.isSafeInteger(value)));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
