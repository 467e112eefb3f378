import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { GatewayError } from '../contract/gateway-error.js';
import type { WebhookNotice } from '../contract/payment-gateway.js';
import { readWebhook } from './pixelpay.webhook.js';

/** The test vector of psp/pixelpay.md §2.1. */
const SECRET = 'whsec_emulator_0001';
const BODY = Buffer.from('{"event":"payment.completed","txn_id":"txn_pixel_000042","status":"completed","deposited_at":"2026-12-03T08:00:00Z"}');
const SIGNATURE = '9f47dc669850974aed67be05e610d76b4741c0ce07da738d41f2312c908e67d9';

const read = (body: Buffer, signature: string | undefined, secret = SECRET): WebhookNotice =>
  readWebhook({ headers: signature === undefined ? {} : { 'x-pixelpay-signature': signature }, query: {}, body }, secret);
const readSigned = (body: unknown): WebhookNotice => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return read(bytes, createHmac('sha256', SECRET).update(bytes).digest('hex'));
};
const kindOf = (attempt: () => unknown): string => {
  try {
    attempt();
    return 'accepted';
  } catch (error) {
    return error instanceof GatewayError ? error.kind : 'failed';
  }
};
const isRejected = (attempt: () => unknown): boolean => kindOf(attempt) === 'webhook_rejected';
const flipped = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
};
const bitsOf = (bytes: Buffer): number[] => Array.from({ length: bytes.length * 8 }, (_, bit) => bit);

describe('a webhook', () => {
  it('with the documented signature is proven, and tells which payment it speaks of', () => {
    expect(BODY).toHaveLength(116);
    expect(read(BODY, SIGNATURE)).toEqual({ topic: 'payment.completed', eventId: 'payment.completed:txn_pixel_000042', reference: 'txn_pixel_000042', ourReference: null, isProven: true });
  });

  it('is rejected when any one bit of its body is another', () => {
    expect(bitsOf(BODY).filter((bit) => !isRejected(() => read(flipped(BODY, bit), SIGNATURE)))).toEqual([]);
  });

  it('is rejected when any one bit of its signature is another, as bytes and as the text in the header', () => {
    const bytes = Buffer.from(SIGNATURE, 'hex');
    expect(bitsOf(bytes).filter((bit) => !isRejected(() => read(BODY, flipped(bytes, bit).toString('hex'))))).toEqual([]);
    const text = Buffer.from(SIGNATURE, 'latin1');
    expect(bitsOf(text).filter((bit) => !isRejected(() => read(BODY, flipped(text, bit).toString('latin1'))))).toEqual([]);
  });

  it.each<[string, string | undefined]>([
    ['no signature', undefined], ['an empty signature', ''], ['one too short', SIGNATURE.slice(0, -1)], ['half of it', SIGNATURE.slice(0, 32)], ['one too long', `${SIGNATURE}0`], ['upper case', SIGNATURE.toUpperCase()],
    ['base64', 'n0fcZphQl0rtZ74F5hDXa0dBwM4H2nONQfIxLJCOZ9k='], ['a prefix', `sha256=${SIGNATURE}`], ['a blank', ` ${SIGNATURE}`], ['a line end', `${SIGNATURE}\n`], ['two signatures', `${SIGNATURE}, ${SIGNATURE}`],
    ['64 characters of two bytes', 'é'.repeat(64)],
  ])('with %s is rejected', (_what, signature) => {
    expect(isRejected(() => read(BODY, signature))).toBe(true);
  });

  it('signed with the secret of another tenant is rejected', () => {
    expect(isRejected(() => read(BODY, SIGNATURE, 'whsec_emulator_0002'))).toBe(true);
  });

  it('whose JSON means the same in other bytes is rejected', () => {
    expect(isRejected(() => read(Buffer.from(`${BODY.toString()}\n`), SIGNATURE))).toBe(true);
  });
});

describe('a signed event', () => {
  it.each(['payment.completed', 'payment.failed', 'payment.deposited', 'payment.disputed'])('%s is told by its name and its payment', (event) => {
    expect(readSigned({ event, txn_id: 'txn_pixel_000042', status: 'x' })).toMatchObject({ topic: event, eventId: `${event}:txn_pixel_000042` });
  });

  it('of a refund is told from that of another refund of the payment', () => {
    const ids = ['att_1', 'att_2'].map((refund_id) => readSigned({ event: 'refund.completed', refund_id, txn_id: 'txn_pixel_000042', amount: 100, status: 'completed' }).eventId);
    expect(ids).toEqual(['refund.completed:txn_pixel_000042:att_1', 'refund.completed:txn_pixel_000042:att_2']);
  });

  it('that names our order shows it', () => {
    expect(readSigned({ event: 'payment.failed', txn_id: 'txn_1', order_id: 'att_1' })).toMatchObject({ ourReference: 'att_1' });
  });

  it.each<[string, unknown]>([
    ['no JSON', 'payment.completed'], ['a list', []], ['no event', { txn_id: 'txn_1' }], ['a payment that is none', { event: 'payment.completed', txn_id: '../txn_1' }],
    ['a number for a payment', { event: 'payment.completed', txn_id: 42 }], ['an event of two parts', { event: 'payment.completed:txn_2', txn_id: 'txn_1' }], ['a strange refund', { event: 'refund.completed', txn_id: 'txn_1', refund_id: 'a:b' }],
  ])('with %s is authentic, and cannot be read', (_what, body) => {
    expect(kindOf(() => readSigned(body))).toBe('request_rejected');
  });

  it('that names no payment is of a kind that we do not know', () => {
    expect(readSigned({ event: 'account.updated' })).toMatchObject({ topic: 'account.updated', reference: null, ourReference: null });
  });
});
