import { z } from 'zod';
import type { GatewayDefinition } from '../contract/gateway-definition.js';
import type { PixelpayCredentials } from './pixelpay.client.js';
import { PixelpayGateway } from './pixelpay.gateway.js';

// At least eight characters: a shorter secret protects nothing, and hiding it would blot out half of every answer.
const visible = z.string().regex(/^[\x21-\x7e]{8,255}$/);
/** PixelPay calls its secret key `pk_…`, elsewhere the name of a public one: put into the wrong field, it would be shown to browsers. */
const publicKey = visible.refine((key) => !/^(pk|whsec)_/.test(key), 'a key that begins with pk_ or whsec_ is secret; the public one begins with pub_');
const limits = { minMinor: 100n, maxMinor: 5_000_000n };

/** PixelPay (Dominican Republic), as the project's brief describes it. Sources of every number: README.md. */
export const pixelpay: GatewayDefinition<PixelpayCredentials> = {
  code: 'pixelpay',
  displayName: 'PixelPay',
  profile: {
    methods: ['card'],
    captureMethods: ['automatic'],
    limits: { DOP: limits, USD: limits, EUR: limits },
    installmentsMax: 1,
    capturesPartially: false,
    honoursIdempotencyKey: true,
    tellsRefundsApart: true,
    echoesOurReference: true,
    lookupLagMs: 10_000,
    // A token never dies, so its life says nothing about absence. What a call can still do after our deadline is bounded by the time-out that the brief
    // gives a call, 30 s; a repeat of it is harmless, as `order_id` is unique.
    tokenLifetimeMs: 30_000,
    authorizationLifetimeMs: null,
  },
  credentials: z.strictObject({ apiKey: visible, publicKey, webhookSecret: visible }),
  publicCredentials: ['publicKey'],
  environmentOf: ({ apiKey, publicKey }) => {
    const environments = [environmentOf(apiKey, 'pk'), environmentOf(publicKey, 'pub')].filter((environment) => environment !== undefined);
    return new Set(environments).size > 1 ? 'contradictory' : environments[0];
  },
  hosts: { api: 'PIXELPAY_API_URL' },
  missingFields: () => [],
  create: (context) => new PixelpayGateway(context),
};

function environmentOf(key: string, kind: 'pk' | 'pub'): 'sandbox' | 'production' | undefined {
  if (key.startsWith(`${kind}_test_`)) return 'sandbox';
  return key.startsWith(`${kind}_live_`) ? 'production' : undefined;
}
