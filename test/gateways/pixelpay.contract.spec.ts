import { createHmac } from 'node:crypto';
import type { GatewayDefinition } from '../../src/gateways/contract/gateway-definition.js';
import type { DeclineCode } from '../../src/gateways/contract/payment-gateway.js';
import { pixelpay } from '../../src/gateways/pixelpay/pixelpay.definition.js';
import { startPixelpaySandbox } from '../../src/sandbox/pixelpay/pixelpay-sandbox.js';
import { describeGatewayContract } from '../support/gateway-contract.js';

/** A test card for each refusal (psp/pixelpay.md §2.4). */
const CARDS: Partial<Record<DeclineCode | 'approved', string>> = {
  approved: '4111111111111111', card_declined: '4000000000000002', insufficient_funds: '4000000000009995', expired_card: '4000000000000069', invalid_card: '4000000000000127', fraud_suspected: '4000000000000119',
};

let merchants = 0;

describeGatewayContract({
  definition: pixelpay as unknown as GatewayDefinition,
  declines: [['card_declined', 'declined'], ['insufficient_funds', 'insufficient'], ['expired_card', 'expired_card'], ['invalid_card', 'invalid_card'], ['fraud_suspected', 'fraud_detected']],
  unknownReference: 'txn_pixel_000000',
  members: { amount: 'amount', currency: 'currency', ourReference: 'order_id', status: 'status' },
  secretOf: ({ apiKey = '' }) => apiKey,
  start: async () => {
    const sandbox = await startPixelpaySandbox();
    sandbox.settings.change({ completeAfterMs: null, refundAfterMs: null });
    return {
      hosts: { api: new URL(sandbox.url) },
      newMerchant: () => {
        const suffix = `contract${++merchants}x${Math.random().toString(36).slice(2, 8)}`;
        return { apiKey: `pk_test_${suffix}`, publicKey: `pub_test_${suffix}`, webhookSecret: `whsec_${suffix}` };
      },
      token: async ({ publicKey }, outcome) => {
        const response = await fetch(`${sandbox.url}/v2/tokens`, {
          method: 'POST', headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ public_key: publicKey, card_number: CARDS[outcome], cvv: '123', expiry_month: 12, expiry_year: 2030 }),
        });
        return (await response.json() as { card_token: string }).card_token;
      },
      alter: (verb, changes) => { sandbox.faults.add({ route: verb === 'createPayment' ? 'POST /v2/payments' : 'GET /v2/payments/:id', kind: 'wrong_answer', changes: changes as Record<string, string> }); },
      settle: () => {
        for (const { txn_id: id } of sandbox.books.payments()) sandbox.panel.complete(id);
        for (const { merchant, refund_id: id } of sandbox.books.refunds()) sandbox.panel.completeRefund(merchant, id);
      },
      webhook: ({ webhookSecret = '' }, reference) => {
        const body = Buffer.from(JSON.stringify({ event: 'payment.completed', txn_id: reference, status: 'completed' }));
        return { headers: { 'x-pixelpay-signature': createHmac('sha256', webhookSecret).update(body).digest('hex') }, query: {}, body };
      },
      reset: () => { sandbox.faults.clear(); },
      close: () => sandbox.close(),
    };
  },
});
