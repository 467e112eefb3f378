import { z } from 'zod';
import type { GatewayDefinition } from '../contract/gateway-definition.js';
import type { MercadopagoCredentials } from './mercadopago.client.js';
import { MercadopagoGateway } from './mercadopago.gateway.js';
import { applicationFee, isDebit, paymentMethodId } from './mercadopago.request.js';

const visible = z.string().regex(/^[\x21-\x7e]{8,255}$/);
/** From one minor unit up (0.01 is the documented least; CLP has no decimals) to what a JSON number in major units carries exactly. */
const limits = { minMinor: 1n, maxMinor: 999_999_999_999n };
/** A card's least in Peru (psp/mercadopago.md §2.9). */
const soles = { ...limits, minMinor: 100n };

/** MercadoPago, Payments API. Sources of every number: README.md. */
export const mercadopago: GatewayDefinition<MercadopagoCredentials> = {
  code: 'mercadopago',
  displayName: 'MercadoPago',
  profile: {
    methods: ['card', 'yape', 'cash_voucher'],
    captureMethods: ['automatic', 'manual'],
    limits: { PEN: soles, MXN: limits, ARS: limits, BRL: limits, CLP: limits, COP: limits, UYU: limits },
    installmentsMax: 48,
    capturesPartially: false,
    honoursIdempotencyKey: true,
    tellsRefundsApart: false,
    echoesOurReference: true,
    lookupLagMs: 30_000,
    // A token lives for days, but what stops a call that was delayed is the PSP's own end of it: a repeat under the same key is no second charge.
    tokenLifetimeMs: 5 * 60_000,
    // Five days in Brazil, seven in Mexico, none published for Peru: the shortest.
    authorizationLifetimeMs: 5 * 24 * 60 * 60_000,
  },
  credentials: z.strictObject({ accessToken: visible, publicKey: visible, webhookSecret: visible }),
  publicCredentials: ['publicKey'],
  settings: z.strictObject({ api: z.enum(['payments', 'orders']).optional() }),
  refusesSettings: (before, after) => (before.api === 'orders' && after.api !== 'orders'
    ? { field: 'settings.api', message: 'cannot go back: what /v1/payments shows of orders cannot be told from other payments' } : null),
  hosts: { api: 'MERCADOPAGO_API_URL' },
  missingFields: ({ method, amount, capture }) => [
    ...(paymentMethodId(method) === undefined && method.isSaved !== true ? [{ field: 'paymentMethod.options.mercadopago.paymentMethodId', message: 'MercadoPago needs the card\'s brand, such as visa.' }] : []),
    ...(applicationFee(method, amount) === 'invalid' ? [{ field: 'paymentMethod.options.mercadopago.applicationFee', message: 'It is a whole number of minor units, from 0 to the amount.' }] : []),
    ...(method.type !== 'card' && amount.currency !== 'PEN' ? [{ field: 'currency', message: 'Yape and PagoEfectivo take PEN only.' }] : []),
    ...(method.type !== 'card' && capture !== 'automatic' ? [{ field: 'captureMethod', message: 'Only cards can be captured later.' }] : []),
    ...(isDebit(method) && capture !== 'automatic' ? [{ field: 'captureMethod', message: 'Debit cards are captured at once.' }] : []),
    ...(method.type !== 'card' && method.installments > 1 ? [{ field: 'paymentMethod.installments', message: 'Only cards can be paid in instalments.' }] : []),
    ...(method.type === 'cash_voucher' && (amount.amountMinor < 500n || amount.amountMinor > 1_000_000n) ? [{ field: 'amount', message: 'PagoEfectivo takes 5.00 to 10 000.00.' }] : []),
  ],
  create: (context) => new MercadopagoGateway(context),
};
