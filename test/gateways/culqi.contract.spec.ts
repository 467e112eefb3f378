import { culqi } from '../../src/gateways/culqi/culqi.definition.js';
import type { GatewayDefinition } from '../../src/gateways/contract/gateway-definition.js';
import type { DeclineCode } from '../../src/gateways/contract/payment-gateway.js';
import { startCulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { describeGatewayContract } from '../support/gateway-contract.js';

/** A published test card for each refusal (psp/culqi.md §1.16). */
const CARDS: Partial<Record<DeclineCode | 'approved', readonly [number: string, cvv: string]>> = {
  approved: ['4111111111111111', '123'], stolen_or_lost_card: ['4000020000000000', '354'], insufficient_funds: ['4000040000000008', '295'], contact_issuer: ['5400000000000005', '492'],
  incorrect_cvc: ['5400020000000003', '203'], issuer_unavailable: ['370001000000000', '2511'], card_declined: ['370002000000008', '1810'], invalid_card: ['36000000000008', '683'],
  processing_error: ['36000100000007', '820'], fraud_suspected: ['36000200000006', '230'],
};

let merchants = 0;

describeGatewayContract({
  definition: culqi as unknown as GatewayDefinition,
  declines: [
    ['stolen_or_lost_card', 'stolen_card'], ['insufficient_funds', 'insufficient_funds'], ['contact_issuer', 'contact_issuer'], ['incorrect_cvc', 'incorrect_cvv'], ['issuer_unavailable', 'issuer_not_available'],
    ['card_declined', 'issuer_decline_operation'], ['invalid_card', 'invalid_card'], ['processing_error', 'processing_error'], ['fraud_suspected', 'fraudulent'],
  ],
  unknownReference: 'chr_test_0000000000000000',
  members: { amount: 'amount', currency: 'currency_code', ourReference: 'metadata.attempt_id', status: 'outcome.type' },
  secretOf: ({ secretKey = '' }) => secretKey,
  start: async () => {
    const sandbox = await startCulqiSandbox();
    return {
      hosts: { api: new URL(sandbox.url), secure: new URL(sandbox.url) },
      newMerchant: () => {
        const suffix = `contract${++merchants}x${Math.random().toString(36).slice(2, 8)}`;
        return { publicKey: `pk_test_${suffix}`, secretKey: `sk_test_${suffix}` };
      },
      token: async ({ publicKey }, outcome) => {
        const [number, cvv] = CARDS[outcome] ?? [];
        const response = await fetch(`${sandbox.url}/v2/tokens`, {
          method: 'POST', headers: { authorization: `Bearer ${publicKey}`, 'content-type': 'application/json' },
          body: JSON.stringify({ card_number: number, cvv, expiration_month: '12', expiration_year: '2030', email: 'ana@ejemplo.pe' }),
        });
        return (await response.json() as { id: string }).id;
      },
      alter: (verb, changes) => { sandbox.faults.add({ route: verb === 'createPayment' ? 'POST /v2/charges' : 'GET /v2/charges/:id', kind: 'wrong_answer', changes: changes as Record<string, string> }); },
      settle: () => undefined,
      webhook: (_credentials, reference) => ({ headers: {}, body: Buffer.from(JSON.stringify({ object: 'event', id: 'evt_test_0000000000000001', type: 'charge.update.succeeded', data: JSON.stringify({ object: 'charge', id: reference }) })) }),
      reset: () => { sandbox.faults.clear(); },
      close: () => sandbox.close(),
    };
  },
});
