import type { GatewayDefinition } from './contract/gateway-definition.js';
import { culqi } from './culqi/culqi.definition.js';
import { mercadopago } from './mercadopago/mercadopago.definition.js';
import { pixelpay } from './pixelpay/pixelpay.definition.js';

/** THE list: one entry per PSP, in order of preference. Codes, accounts, documentation and tests follow from it. */
export const GATEWAY_DEFINITIONS = [culqi, mercadopago, pixelpay] as unknown as readonly GatewayDefinition[];

export const GATEWAY_CODES = GATEWAY_DEFINITIONS.map(({ code }) => code);

export function isGatewayCode(code: string): boolean {
  return GATEWAY_CODES.includes(code);
}

/** @throws RangeError for a code that is not in the list */
export function gatewayDefinition(code: string): GatewayDefinition {
  const definition = GATEWAY_DEFINITIONS.find((candidate) => candidate.code === code);
  if (definition === undefined) throw new RangeError(`no gateway is called ${code.slice(0, 32)}`);
  return definition;
}
