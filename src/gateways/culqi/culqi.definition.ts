import { z } from 'zod';
import type { GatewayDefinition } from '../contract/gateway-definition.js';
import type { CulqiCredentials } from './culqi.client.js';
import { CulqiGateway, TOKEN_LIFETIME_MS } from './culqi.gateway.js';
import { missingToSave } from './culqi.request.js';

const visible = z.string().regex(/^[\x21-\x7e]{1,255}$/);

/** Culqi (Peru). Sources of every number: README.md. */
export const culqi: GatewayDefinition<CulqiCredentials> = {
  code: 'culqi',
  displayName: 'Culqi',
  profile: {
    methods: ['card', 'yape'],
    captureMethods: ['automatic', 'manual'],
    limits: { PEN: { minMinor: 300n, maxMinor: 999_900n }, USD: { minMinor: 100n, maxMinor: 999_900n } },
    installmentsMax: 48,
    capturesPartially: false,
    honoursIdempotencyKey: false,
    tellsRefundsApart: false,
    echoesOurReference: true,
    lookupLagMs: 10_000,
    tokenLifetimeMs: TOKEN_LIFETIME_MS,
    authorizationLifetimeMs: 4 * 24 * 60 * 60_000,
  },
  credentials: z.strictObject({ publicKey: visible, secretKey: visible, webhookUser: visible.optional(), webhookPassword: visible.optional() }),
  publicCredentials: ['publicKey'],
  environmentOf: ({ publicKey, secretKey }) => {
    const environments = [environmentOf(publicKey, 'pk'), environmentOf(secretKey, 'sk')].filter((environment) => environment !== undefined);
    return new Set(environments).size > 1 ? 'contradictory' : environments[0];
  },
  hosts: { api: 'CULQI_API_URL', secure: 'CULQI_SECURE_URL' },
  missingFields: ({ customer, method, amount, capture }) => [
    ...(customer.email.length <= 50 ? [] : [{ field: 'customer.email', message: 'Culqi takes at most 50 characters.' }]),
    // psp/culqi.md §1.5: PEN only, and captured at once.
    ...(method.type === 'yape' && amount.currency !== 'PEN' ? [{ field: 'currency', message: 'Yape takes PEN only.' }] : []),
    ...(method.type === 'yape' && capture !== 'automatic' ? [{ field: 'captureMethod', message: 'Yape is captured at once.' }] : []),
    ...(method.type === 'yape' && method.installments > 1 ? [{ field: 'paymentMethod.installments', message: 'Yape takes no instalments.' }] : []),
  ],
  missingToSave,
  create: (context) => new CulqiGateway(context),
};

function environmentOf(key: string, kind: 'pk' | 'sk'): 'sandbox' | 'production' | undefined {
  if (key.startsWith(`${kind}_test_`)) return 'sandbox';
  return key.startsWith(`${kind}_live_`) ? 'production' : undefined;
}
