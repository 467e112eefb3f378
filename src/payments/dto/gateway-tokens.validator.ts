import { registerDecorator } from 'class-validator';
import { GATEWAY_CODES } from '../../gateways/gateways.js';

const TOKEN = /^[\x21-\x7e]{1,255}$/;

/** An object of at least one PSP name and its opaque token: 1 to 255 visible ASCII characters (design/api.md). */
export function IsGatewayTokens(): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'isGatewayTokens', target: target.constructor, propertyName: String(propertyName),
      validator: { validate: areTokens, defaultMessage: () => 'must name gateways, each with a token of 1 to 255 visible ASCII characters' },
    });
  };
}

function areTokens(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([name, token]) => GATEWAY_CODES.includes(name) && typeof token === 'string' && TOKEN.test(token));
}
