import { createHmac, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../contract/gateway-error.js';
import type { WebhookDelivery, WebhookNotice } from '../contract/payment-gateway.js';
import { parseExactly } from '../contract/exact-json.js';
import { webhookSchema } from './pixelpay.types.js';

const SIGNATURE = /^[0-9a-f]{64}$/;

/**
 * Proves a webhook by its signature over the raw bytes and tells which payment it speaks of (psp/pixelpay.md §2.4). It has no id and no time, so a
 * delivery can be replayed: that is harmless, as it only makes us ask.
 * @throws GatewayError `webhook_rejected`, `request_rejected`
 */
export function readWebhook({ headers, body }: WebhookDelivery, webhookSecret: string): WebhookNotice {
  if (!isSignedBy(webhookSecret, body, headers['x-pixelpay-signature'])) throw new GatewayError('webhook_rejected', 'the signature does not prove that PixelPay sent this');
  const parsed = parseExactly(body.toString('utf8'), [webhookSecret]);
  const notice = webhookSchema.safeParse(parsed);
  if (!notice.success) throw new GatewayError('request_rejected', 'the body is no event of PixelPay');
  const { event, txn_id: reference, refund_id: refundId, order_id: orderId } = notice.data;
  // None of the parts can contain a colon.
  const eventId = [event, ...(reference == null ? [] : [reference]), ...(refundId == null ? [] : [refundId])].join(':');
  return { topic: event, eventId, reference: reference ?? null, ourReference: orderId ?? null, isProven: true, ...(refundId == null ? {} : { refundReference: refundId }) };
}

function isSignedBy(secret: string, body: Buffer, signature: string | undefined): boolean {
  if (signature === undefined || !SIGNATURE.test(signature)) return false;
  return timingSafeEqual(createHmac('sha256', secret).update(body).digest(), Buffer.from(signature, 'hex'));
}
