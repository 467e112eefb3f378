import { containsCardNumber } from '../../shared/card-number.js';
import { Problem } from '../../shared/problem.js';
import { fieldPath } from './json-text.js';

/** Names of card numbers, without case, accents and signs, also in Spanish. `card: { number }` counts as `cardNumber`. */
const CARD_NUMBER_NAME = new RegExp([
  '^(?:primaryaccount|(?:credit|debit|payment|bank)?card|cc)(?:account)?(?:number|num|no|nbr|nr)$', '^(?:card|cc|full|raw)?pan$',
  '^(?:numero|num|nro)(?:de)?(?:la)?tarjeta$', '^tarjeta(?:de(?:credito|debito))?(?:numero|num|nro)$',
].join('|'));
/** Names of security codes. Not `cavv`: that is a result of 3-D Secure. */
const SECURITY_CODE_NAME = new RegExp([
  '^(?:(?:credit|debit|payment)?card|cc)?(?:cvv|cvc|cvn|csc)2?(?:code|number|num|value)?$', '^(?:(?:credit|debit|payment)?card|cc)?security(?:code|number)$',
  '^card(?:verification|validation)(?:code|number|value)$', '^(?:codigo|cod)(?:de)?(?:seguridad|cvv|cvc)(?:(?:dela)?tarjeta)?$',
].join('|'));

/** Quantities of the API: a number there is a number, though one in fifty of sixteen digits looks like a card's. */
const QUANTITY_NAMES = new Set(['amount', 'price', 'credits', 'quantity']);

/**
 * Refuses card data by the rule of design/api.md, wherever it stands in `value`. PSP tokens and keys are no exception: "no other check" speaks of their form, a real one
 * touches letters or has another length, and a card number sent in the place of a token is the likeliest slip of all.
 * @throws Problem `card_data_not_accepted` naming the field, never the value.
 */
export function refuseCardData(value: unknown): void {
  const members = cardDataIn(value, []);
  if (members === null) return;
  throw new Problem('card_data_not_accepted', 'Card numbers and security codes are not accepted; send the token that the gateway made of them.', {
    errors: [{ field: fieldPath(members), message: 'looks like card data' }],
  });
}

/** The path to the first card data in `value`, or null. The body reader bounds the depth. */
function cardDataIn(value: unknown, path: readonly string[]): readonly string[] | null {
  if (typeof value === 'string') return containsCardNumber(value) ? path : null;
  if (typeof value === 'number') return !QUANTITY_NAMES.has(path.at(-1) ?? '') && containsCardNumber(String(value)) ? path : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, member] of Object.entries(value)) {
    const inner = [...path, name];
    const found = !Array.isArray(value) && namesCardData(name, path.at(-1) ?? '') ? inner : cardDataIn(member, inner);
    if (found !== null) return found;
  }
  return null;
}

function namesCardData(name: string, parent: string): boolean {
  return containsCardNumber(name) || [plain(name), plain(parent) + plain(name)].some((text) => CARD_NUMBER_NAME.test(text) || SECURITY_CODE_NAME.test(text));
}

/** `Card_Number`, `card-number` and `cardNumber` are one name. Longer names are none of ours. */
function plain(name: string): string {
  return name.slice(0, 60).normalize('NFD').toLowerCase().replace(/[^a-z0-9]/g, '');
}
