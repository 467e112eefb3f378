import { type Answer } from '../emulator/exchange.js';
import { type Charge } from './charge.js';
import { parameterError } from './culqi-error.js';
import { wholeOf } from './field-rules.js';
import { pageOf } from './paging.js';

type FieldOf = (charge: Charge) => unknown;

/** Filters by equality. Unknown query parameters, `metadata` among them, filter nothing. */
const TEXTS = filters({
  currency_code: (charge) => charge.currency_code,
  code: (charge) => charge.outcome?.['code'],
  decline_code: (charge) => charge.outcome?.['decline_code'],
  first_name: (charge) => charge.antifraud_details['first_name'],
  last_name: (charge) => charge.antifraud_details['last_name'],
  email: (charge) => charge.email,
  address: (charge) => charge.antifraud_details['address'],
  address_city: (charge) => charge.antifraud_details['address_city'],
  country_code: (charge) => charge.antifraud_details['country_code'],
  phone_number: (charge) => charge.antifraud_details['phone'],
  reference: (charge) => charge.reference_code,
  card_brand: (charge) => charge.source.iin.card_brand,
  card_type: (charge) => charge.source.iin.card_type,
  device_type: (charge) => charge.source.client.device_type,
  bin: (charge) => charge.source.iin.bin,
  customer_id: () => null,
});

const CLAIMS = filters({
  dispute: (charge) => charge.dispute,
  captured: (charge) => charge.capture === true,
  duplicated: (charge) => charge.duplicated,
  paid: (charge) => charge.paid,
});

const WHOLES = filters({
  amount: (charge) => charge.amount,
  installments: (charge) => charge.installments,
  fraud_score: (charge) => charge.fraud_score,
  creation_date: (charge) => charge.creation_date,
  fee: (charge) => charge.total_fee,
});

/** Bounds, both inclusive. */
const FROM = filters({
  min_amount: (charge) => charge.amount,
  min_installments: (charge) => charge.installments,
  min_fraud_score: (charge) => charge.fraud_score,
  creation_date_from: (charge) => charge.creation_date,
});
const TO = filters({
  max_amount: (charge) => charge.amount,
  max_installments: (charge) => charge.installments,
  max_fraud_score: (charge) => charge.fraud_score,
  creation_date_to: (charge) => charge.creation_date,
});

/** A map, so that a parameter called `constructor` finds no filter. */
function filters(fields: Record<string, FieldOf>): Map<string, FieldOf> {
  return new Map(Object.entries(fields));
}

/** Answers GET /charges from the charges a merchant may see, newest first. */
export function listCharges(newestFirst: readonly Charge[], query: URLSearchParams, viewOf: (charge: Charge) => unknown): Answer {
  const broken = brokenParameter(query);
  if (broken !== null) return parameterError(broken);
  return pageOf(query, { name: 'charges', newestFirst, isWanted: (charge) => matches(charge, query), viewOf, countsRest: true });
}

function brokenParameter(query: URLSearchParams): string | null {
  for (const [name, value] of query) {
    if ([WHOLES, FROM, TO].some((filters) => filters.has(name)) && wholeOf(value) === null) return name;
    if (CLAIMS.has(name) && value !== 'true' && value !== 'false') return name;
  }
  return null;
}

function matches(charge: Charge, query: URLSearchParams): boolean {
  for (const [name, value] of query) {
    const exact = TEXTS.get(name) ?? CLAIMS.get(name) ?? WHOLES.get(name);
    if (exact !== undefined && String(exact(charge)) !== value) return false;
    const from = FROM.get(name)?.(charge);
    if (from !== undefined && (from === null || Number(from) < Number(value))) return false;
    const to = TO.get(name)?.(charge);
    if (to !== undefined && (to === null || Number(to) > Number(value))) return false;
  }
  return true;
}
