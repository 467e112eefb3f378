import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { GatewayDefinition } from '../../src/gateways/contract/gateway-definition.js';
import { supports, type OptionalVerb } from '../../src/gateways/contract/payment-gateway.js';
import { GATEWAY_DEFINITIONS } from '../../src/gateways/gateways.js';
import { next, OBSERVATIONS, PAYMENT_STATUSES, TERMINAL, type PaymentStatus } from '../../src/payments/payment-state.js';
import { nextRefund, REFUND_STATUSES, type RefundObservation, type RefundStatus } from '../../src/payments/refund.js';
import { minorUnitDigits, type Currency } from '../../src/shared/currency.js';
import { systemClock, TimeWindow } from '../../src/shared/clock.js';

/** `UPDATE_DOCS=1 npm test -- test/docs` writes the documents anew. */
const ROOT = resolve(import.meta.dirname, '../..');
const UPDATES = process.env.UPDATE_DOCS === '1';
const MARK = '<!-- Generated from the code by test/docs/generated-docs.spec.ts; `UPDATE_DOCS=1 npm test -- test/docs` writes it anew. -->';

const VERBS: Record<OptionalVerb, string> = {
  findPayment: 'look up by our own id', findPayments: 'look up several by one listing', listPayments: 'list its payments of a time', capturePayment: 'capture', voidPayment: 'void', refundPayment: 'refund', findRefund: 'look up a refund', savePaymentMethod: 'keep a card for later', deletePaymentMethod: 'forget a kept card', forgetCustomer: 'forget a customer and all their cards', readWebhook: 'webhooks',
};

function capabilities(definitions: readonly GatewayDefinition[]): string {
  const rows: [name: string, of: (definition: GatewayDefinition) => string][] = [
    ...(Object.entries(VERBS) as [OptionalVerb, string][]).map(([verb, name]): [string, (definition: GatewayDefinition) => string] => [name, (definition) => yes(has(definition, verb))]),
    ['part of an authorisation can be captured', ({ profile }) => yes(profile.capturesPartially)],
    ['capture', ({ profile }) => profile.captureMethods.join(', ')],
    ['methods', ({ profile }) => profile.methods.join(', ')],
    ['amounts', ({ profile }) => Object.entries(profile.limits).map(([currency, { minMinor, maxMinor }]) => `${currency} ${major(minMinor, currency as Currency)} to ${major(maxMinor, currency as Currency)}`).join('<br>')],
    ['instalments at most', ({ profile }) => String(profile.installmentsMax)],
    ['a repeated call is answered as the first', ({ profile }) => yes(profile.honoursIdempotencyKey)],
    ['several refunds of a payment at once', ({ profile }) => yes(profile.tellsRefundsApart)],
    ['answers show our reference', ({ profile }) => yes(profile.echoesOurReference)],
    ['look-ups may lag behind by', ({ profile }) => duration(profile.lookupLagMs)],
    ['a delayed call can still happen for', ({ profile }) => duration(profile.tokenLifetimeMs)],
    ['money stays reserved for', ({ profile }) => (profile.authorizationLifetimeMs === null ? 'none is reserved' : duration(profile.authorizationLifetimeMs))],
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    '# What each gateway can', '', MARK, '',
    'A verb is there when the adapter has the method (`src/gateways/contract/payment-gateway.ts`); everything else stands in its profile. Every gateway can create a payment and be asked',
    'about one. Sources of the numbers: the README in each gateway\'s folder.', '',
    line(['', ...definitions.map(({ displayName }) => displayName)]), line(['---', ...definitions.map(() => '---')]),
    ...rows.map(([name, of]) => line([name, ...definitions.map(of)])), '',
  ].join('\n');
}

function has(definition: GatewayDefinition, verb: OptionalVerb): boolean {
  const host = new URL('http://127.0.0.1:9');
  const hosts = Object.fromEntries(Object.keys(definition.hosts).map((name) => [name, host]));
  return supports(definition.create({ credentials: {}, environment: 'sandbox', settings: {}, hosts, send: () => Promise.reject(new Error('nothing is sent')), window: TimeWindow.open(systemClock, 0), now: () => new Date(0) }), verb);
}

const yes = (is: boolean): string => (is ? 'yes' : '–');

function major(minor: bigint, currency: Currency): string {
  const places = minorUnitDigits(currency);
  const digits = String(minor).padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places).replace(/\B(?=(\d{3})+$)/g, ' ');
  return places === 0 ? whole : `${whole}.${digits.slice(-places)}`;
}

function duration(ms: number): string {
  const [value, unit] = ms >= 86_400_000 ? [ms / 86_400_000, 'd'] : ms >= 60_000 ? [ms / 60_000, 'min'] : [ms / 1_000, 's'];
  return `${value} ${unit}`;
}

function paymentStates(): string {
  const moves = (from: PaymentStatus): { to: PaymentStatus; by: string[] }[] => {
    const to = new Map<PaymentStatus, string[]>();
    for (const observation of OBSERVATIONS) {
      const { status } = next({ status: from, processingReason: from === 'processing' ? 'in_flight' : null }, observation);
      if (status !== from) to.set(status, [...to.get(status) ?? [], observation]);
    }
    return [...to].map(([status, by]) => ({ to: status, by }));
  };
  const refundMoves = (from: RefundStatus): [RefundStatus, RefundObservation[]][] => {
    const observations: RefundObservation[] = ['succeeded', 'failed', 'pending', 'not_done', 'absent', 'unknown', 'mismatch', 'schedule_exhausted'];
    const to = new Map<RefundStatus, RefundObservation[]>();
    for (const observation of observations) {
      const status = nextRefund(from, observation);
      if (status !== from) to.set(status, [...to.get(status) ?? [], observation]);
    }
    return [...to];
  };
  return [
    '# How a payment moves', '', MARK, '',
    'What is observed of a payment, a reply, a look-up, a webhook or a deadline, decides where it goes (`src/payments/payment-state.ts`). Whatever is not named below changes nothing.',
    `A payment that is ${[...TERMINAL].join(', ')} never moves again; refunds do not change its status.`, '',
    '```mermaid', 'stateDiagram-v2', '  [*] --> created',
    ...PAYMENT_STATUSES.flatMap((from) => moves(from).map(({ to, by }) => `  ${from} --> ${to}: ${by.join(', ')}`)),
    ...[...TERMINAL].map((status) => `  ${status} --> [*]`), '```', '',
    '| From | To | When it is observed |', '|---|---|---|',
    ...PAYMENT_STATUSES.flatMap((from) => moves(from).map(({ to, by }) => `| ${from} | ${to} | ${by.join(', ')} |`)), '',
    '## Refunds', '',
    'A refund that was called failed and then shows as done was done (`src/payments/refund.ts`). Submitted, unknown and waiting refunds count as taken.', '',
    '| From | To | When it is observed |', '|---|---|---|',
    ...REFUND_STATUSES.flatMap((from) => refundMoves(from).map(([to, by]) => `| ${from} | ${to} | ${by.join(', ')} |`)), '',
  ].join('\n');
}

describe('generated documents', () => {
  it.each([['docs/capabilities.md', capabilities(GATEWAY_DEFINITIONS)], ['docs/payment-states.md', paymentStates()]])('%s is what the code says', (path, text) => {
    if (UPDATES) writeFileSync(join(ROOT, path), text);
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(text);
  });

  it('would differ for another gateway or another fact', () => {
    const [first, ...others] = GATEWAY_DEFINITIONS;
    if (first === undefined) throw new Error('there is no gateway');
    const text = capabilities(GATEWAY_DEFINITIONS);
    expect(capabilities(others)).not.toBe(text);
    expect(capabilities([{ ...first, profile: { ...first.profile, lookupLagMs: first.profile.lookupLagMs + 1_000 } }, ...others])).not.toBe(text);
  });
});
