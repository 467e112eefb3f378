import { z } from 'zod';
import type { GatewayDefinition } from '../../../src/gateways/contract/gateway-definition.js';
import { ToyGateway, type ToyCredentials } from './toy.gateway.js';

/** A PSP that exists only here: it pays at once, or says no. It can nothing else, so it has no other verb. */
export const toy: GatewayDefinition<ToyCredentials> = {
  code: 'toy',
  displayName: 'Toy',
  profile: {
    methods: ['card'], captureMethods: ['automatic'], limits: { PEN: { minMinor: 1n, maxMinor: 1_000_000n }, USD: { minMinor: 1n, maxMinor: 1_000_000n } }, installmentsMax: 1, capturesPartially: false,
    honoursIdempotencyKey: true, tellsRefundsApart: true, echoesOurReference: true, lookupLagMs: 0, tokenLifetimeMs: 60_000, authorizationLifetimeMs: null,
  },
  credentials: z.strictObject({ secretKey: z.string().min(8) }),
  publicCredentials: [],
  hosts: { api: { variable: 'TOY_API_URL', url: 'https://api.toy.example' } },
  missingFields: () => [],
  create: (context) => new ToyGateway(context),
};
