import { randomUUID } from 'node:crypto';
import type { GatewayDefinition } from '../../src/gateways/contract/gateway-definition.js';
import type { DeclineCode } from '../../src/gateways/contract/payment-gateway.js';
import { mercadopago } from '../../src/gateways/mercadopago/mercadopago.definition.js';
import { startMercadopagoSandbox } from '../../src/sandbox/mercadopago/mercadopago-sandbox.js';
import { SITES, type Site } from '../../src/sandbox/mercadopago/settings.js';
import { signatureOf } from '../../src/sandbox/mercadopago/unfolding.js';
import { describe } from '@jest/globals';
import { describeGatewayContract, type ContractSubject } from '../support/gateway-contract.js';

/** The cardholder's name decides (psp/mercadopago.md §11). */
const NAMES: Partial<Record<DeclineCode | 'approved', string>> = {
  approved: 'APRO', card_declined: 'OTHE', contact_issuer: 'CALL', insufficient_funds: 'FUND', incorrect_cvc: 'SECU', expired_card: 'EXPI', limit_exceeded: 'ATTE', fraud_suspected: 'BLAC', invalid_card: 'FORM', processing_error: 'INST',
};
const SITE_OF = Object.fromEntries(Object.entries(SITES).map(([site, currency]) => [currency, site as Site]));

/** What differs between the two APIs of MercadoPago; everything else is one world. */
type Api = {
  settings: Record<string, unknown>; declines: ContractSubject['declines']; unknownReference: string; members: ContractSubject['members']; routes: Record<'createPayment' | 'fetchPayment', string>; topic: string;
};

const PAYMENTS: Api = {
  settings: {}, topic: 'payment', unknownReference: '999999999999', routes: { createPayment: 'POST /v1/payments', fetchPayment: 'GET /v1/payments/:id' },
  declines: [
    ['card_declined', 'cc_rejected_other_reason'], ['contact_issuer', 'cc_rejected_call_for_authorize'], ['insufficient_funds', 'cc_rejected_insufficient_amount'],
    ['incorrect_cvc', 'cc_rejected_bad_filled_security_code'], ['expired_card', 'cc_rejected_bad_filled_date'], ['limit_exceeded', 'cc_rejected_max_attempts'], ['fraud_suspected', 'cc_rejected_blacklist'],
    ['invalid_card', 'cc_rejected_bad_filled_other'], ['processing_error', 'cc_rejected_invalid_installments'],
  ],
  members: { amount: 'transaction_amount', currency: 'currency_id', ourReference: 'external_reference', status: 'status' },
};

const ORDERS: Api = {
  settings: { api: 'orders' }, topic: 'order', unknownReference: 'ORD01000000000000999999999999', routes: { createPayment: 'POST /v1/orders', fetchPayment: 'GET /v1/orders/:id' },
  declines: [
    ['card_declined', 'rejected_other_reason'], ['contact_issuer', 'required_call_for_authorize'], ['insufficient_funds', 'insufficient_amount'], ['limit_exceeded', 'max_attempts_exceeded'], ['invalid_card', 'bad_filled_card_data'],
    ['processing_error', 'invalid_installments'],
  ],
  members: { amount: 'total_amount', currency: 'currency', ourReference: 'external_reference', status: 'status' },
};

describe.each([['payments', PAYMENTS], ['orders', ORDERS]] as const)('MercadoPago, %s', (_name, api) => {
  describeGatewayContract({
    definition: mercadopago as unknown as GatewayDefinition,
    declines: api.declines,
    unknownReference: api.unknownReference,
    members: api.members,
    settings: api.settings,
    options: { paymentMethodId: 'visa' },
    secretOf: ({ accessToken = '' }) => accessToken,
    start: async () => {
      const sandbox = await startMercadopagoSandbox();
      const sites: Record<string, Site> = {};
      return {
        hosts: { api: new URL(sandbox.url) },
        newMerchant: (currency) => {
          const suffix = randomUUID().replaceAll('-', '').slice(0, 12);
          sites[suffix] = SITE_OF[currency] ?? 'MPE';
          sandbox.settings.change({ sites });
          return { accessToken: `APP_USR-sec-${suffix}`, publicKey: `APP_USR-pub-${suffix}`, webhookSecret: `whsec-${suffix}` };
        },
        token: async ({ publicKey }, outcome) => {
          const response = await fetch(`${sandbox.url}/v1/card_tokens?public_key=${publicKey}`, {
            method: 'POST', headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ card_number: '4009175332806176', security_code: '123', expiration_month: 11, expiration_year: 2030, cardholder: { name: NAMES[outcome] } }),
          });
          return (await response.json() as { id: string }).id;
        },
        alter: (verb, changes) => { sandbox.faults.add({ route: api.routes[verb], kind: 'wrong_answer', changes: changes as Record<string, string> }); },
        settle: () => undefined,
        webhook: ({ webhookSecret = '' }, reference) => {
          const [requestId, ts] = ['req-1', '1742505638683'];
          return {
            headers: { 'x-signature': `ts=${ts},v1=${signatureOf(webhookSecret, { dataId: reference, requestId, ts })}`, 'x-request-id': requestId }, query: { 'data.id': reference, type: api.topic },
            body: Buffer.from(JSON.stringify({ id: 120_001, type: api.topic, action: `${api.topic}.updated`, data: { id: reference } })),
          };
        },
        reset: () => { sandbox.faults.clear(); },
        close: () => sandbox.close(),
      };
    },
  });
});
