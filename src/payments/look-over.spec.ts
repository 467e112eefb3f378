import { expect, it } from '@jest/globals';
import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import { money } from '../shared/money.js';
import { differs } from './look-over.js';
import { PAYMENT_STATUSES, type PaymentStatus } from './payment-state.js';
import type { PaymentRecord } from './payment.js';

const record = (status: PaymentStatus): PaymentRecord => ({ payment: { state: { status, processingReason: null }, gatewayReference: 'chr_1', capturedMinor: 1_000n } as PaymentRecord['payment'], attempts: [], refunds: [] });
const snapshot = (status: PaymentSnapshot['status'], changes: object = {}) => ({ status, reference: 'chr_1', captured: status === 'captured' ? money(1_000n, 'PEN') : null, refunded: money(0n, 'PEN'), ...changes }) as PaymentSnapshot;

it.each<[PaymentSnapshot['status'], PaymentStatus[]]>([
  ['captured', ['captured']], ['authorized', ['authorized']], ['declined', ['failed', 'created', 'needs_review']], ['voided', ['voided', 'failed', 'expired']], ['expired', ['expired', 'failed', 'voided']],
])('a payment that the PSP shows as %s agrees with ours when that is one of %j', (shown, agreeing) => {
  expect(PAYMENT_STATUSES.filter((status) => !differs(record(status), snapshot(shown))).sort()).toEqual([...agreeing].sort());
});

it('reserved money differs by its reference', () => {
  expect(differs(record('authorized'), snapshot('authorized', { reference: 'chr_2' }))).toBe(true);
});

it('a captured payment differs by its reference, its amount, or by money given back that nobody explains', () => {
  expect(differs(record('captured'), snapshot('captured', { captured: money(999n, 'PEN') }))).toBe(true);
  expect(differs(record('captured'), snapshot('captured', { reference: 'chr_2' }))).toBe(true);
  expect(differs(record('captured'), snapshot('captured', { refunded: money(1n, 'PEN') }))).toBe(true);
});
