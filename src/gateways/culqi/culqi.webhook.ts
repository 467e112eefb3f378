import { createHash, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../contract/gateway-error.js';
import type { WebhookDelivery, WebhookNotice } from '../contract/payment-gateway.js';
import type { CulqiCredentials } from './culqi.client.js';
import { webhookObjectSchema, webhookSchema } from './culqi.types.js';

/**
 * Tells which charge a webhook speaks of (psp/culqi.md §1.12). Culqi signs nothing: only HTTP Basic, where the merchant has set it in Culqi's panel,
 * shows who sent it; without, anybody may have.
 * @throws GatewayError `webhook_rejected`, `request_rejected`
 */
export function readWebhook({ headers, body }: WebhookDelivery, { webhookUser, webhookPassword = '' }: CulqiCredentials): WebhookNotice {
  const isProven = webhookUser !== undefined;
  if (isProven && !isSame(headers.authorization ?? '', `Basic ${Buffer.from(`${webhookUser}:${webhookPassword}`).toString('base64')}`)) {
    throw new GatewayError('webhook_rejected', 'the Basic credentials are not those that were agreed');
  }
  const event = webhookSchema.safeParse(parsed(body.toString('utf8')));
  if (!event.success) throw new GatewayError('request_rejected', 'the body is no event of Culqi');
  const { id, type, data } = event.data;
  const spokenOf = webhookObjectSchema.safeParse(typeof data === 'string' ? parsed(data) : data).data;
  const [subject] = type.split('.');
  const attemptId = spokenOf?.metadata?.attempt_id;
  return {
    topic: type, eventId: id, isProven,
    reference: (subject === 'charge' ? spokenOf?.id : subject === 'refund' ? spokenOf?.chargeId : null)?.slice(0, 255) ?? null,
    ourReference: subject === 'charge' && typeof attemptId === 'string' ? attemptId.slice(0, 255) : null,
  };
}

/** Compared as hashes, so that neither length nor content shows in the time it takes (traps T1, T2). */
function isSame(given: string, expected: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
