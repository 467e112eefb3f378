import type { GatewayDefinition, OrderOutline } from '../gateways/contract/gateway-definition.js';
import { minorUnitDigits } from '../shared/currency.js';
import { Problem, type ProblemCode } from '../shared/problem.js';
import type { GatewayAccount } from '../tenants/gateway-accounts.js';
import type { PaymentMethodOptions, PaymentPlan, PlanCandidate } from './payment.js';

/** What is to be paid and with which PSPs' tokens. */
export type Selectable = Omit<OrderOutline, 'method'> & { method: Pick<OrderOutline['method'], 'type' | 'installments' | 'isSaved' | 'isMerchantInitiated'>; tokens: Readonly<Record<string, string>>; options: PaymentMethodOptions };
export type Selection = { definition: GatewayDefinition; account: GatewayAccount; plan: PaymentPlan };

/** Why a gateway cannot take an order; `code` is what a caller is told who insists on it. */
type Hindrance = { code: ProblemCode; field: string; message: string };

/**
 * Chooses the gateway for an order: the one that is forced, else the first of the list that can take it. Pure.
 * @throws Problem naming what is in the way, before anything is stored or any PSP is called.
 */
export function selectGateway(order: Selectable, forced: string | null, accounts: readonly GatewayAccount[], definitions: readonly GatewayDefinition[]): Selection {
  if (forced !== null && !definitions.some(({ code }) => code === forced)) {
    throw new Problem('gateway_not_configured', 'No enabled account of this gateway is configured.', { errors: [{ field: 'gateway', message: 'is not configured' }] });
  }
  const considered = definitions.filter(({ code }) => forced === null || code === forced).map((definition) => {
    const account = accounts.find(({ gateway, enabled }) => gateway === definition.code && enabled);
    return { definition, account, hindrances: hindrancesOf(order, definition, account) };
  });
  const candidates: PlanCandidate[] = considered.map(({ definition, hindrances }) => (
    { gateway: definition.code, eligible: hindrances.length === 0, reason: hindrances[0]?.message ?? 'It can take the payment.' }));

  const chosen = considered.find(({ hindrances }) => hindrances.length === 0);
  if (chosen?.account !== undefined) return { definition: chosen.definition, account: chosen.account, plan: { forced, candidates } };

  const hindrances = considered.flatMap((candidate) => candidate.hindrances);
  const errors = hindrances.map(({ field, message }) => ({ field, message }));
  const first = hindrances[0];
  if (forced !== null && first !== undefined) throw new Problem(first.code, first.message, { errors });
  throw new Problem('no_eligible_gateway', 'No gateway of this tenant can take the payment.', { errors });
}

function hindrancesOf(order: Selectable, definition: GatewayDefinition, account: GatewayAccount | undefined): Hindrance[] {
  const { code, displayName, profile } = definition;
  if (account === undefined) return [{ code: 'gateway_not_configured', field: 'gateway', message: `No enabled ${displayName} account is configured.` }];
  const { currency, amountMinor } = order.amount;
  const limits = profile.limits[currency];
  if (limits === undefined) return [{ code: 'currency_not_supported', field: 'currency', message: `${displayName} does not take ${currency}.` }];

  const found: Hindrance[] = [];
  if (amountMinor < limits.minMinor || amountMinor > limits.maxMinor) {
    const unit = minorUnitDigits(currency) === 0 ? '' : ' minor units';
    found.push({ code: 'invalid_amount', field: 'amount', message: `${displayName} takes ${limits.minMinor} to ${limits.maxMinor}${unit} of ${currency}.` });
  }
  if (!profile.captureMethods.includes(order.capture)) {
    found.push({ code: 'capability_missing', field: 'captureMethod', message: `${displayName} cannot capture ${order.capture === 'manual' ? 'manually' : 'automatically'}.` });
  }
  if (!profile.methods.includes(order.method.type)) {
    found.push({ code: 'capability_missing', field: 'paymentMethod.type', message: `${displayName} does not take ${order.method.type}.` });
  }
  if (order.method.installments > profile.installmentsMax) {
    found.push({ code: 'no_eligible_gateway', field: 'paymentMethod.installments', message: `${displayName} takes at most ${profile.installmentsMax} instalments.` });
  }
  if (order.tokens[code] === undefined && order.method.type !== 'cash_voucher') {
    found.push({ code: 'no_eligible_gateway', field: `paymentMethod.tokens.${code}`, message: `${displayName} needs a token of its own.` });
  }
  const options = order.options[code];
  const outline = { ...order, method: { ...order.method, ...(options === undefined ? {} : { options }) } };
  for (const { field, message } of definition.missingFields(outline)) found.push({ code: 'no_eligible_gateway', field, message });
  return found;
}
