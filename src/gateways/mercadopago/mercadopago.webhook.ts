import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseExactly } from '../contract/exact-json.js';
import { GatewayError } from '../contract/gateway-error.js';
import type { WebhookDelivery, WebhookNotice } from '../contract/payment-gateway.js';
import { lookUp } from './mercadopago.mapping.js';
import { ORDER_ID } from './mercadopago.orders-types.js';
import { PAYMENT_ID, webhookSchema } from './mercadopago.types.js';

/** Chargebacks go by an id of their own; of which payment they are stands in the body alone (§7.2). */
const CHARGEBACKS: ReadonlySet<string> = new Set(['topic_chargebacks_wh', 'chargebacks']);
/** What MercadoPago says once and people must hear at once, by its topic, or topic and action (§7.1). */
const ALERTS: Readonly<Record<string, string>> = {
  stop_delivery_op_wh: 'MercadoPago suspects fraud: do not deliver', 'mp-connect application.deauthorized': 'the seller took back what was authorised at MercadoPago: its access token ends',
};

/**
 * Proves a webhook and tells which payment it speaks of (psp/mercadopago.md §7). Signed are the id in the query, the request's id and the time, not the
 * body: nothing of that is believed. An old-style notification (IPN) has no signature, and is a hint.
 * @throws GatewayError `webhook_rejected`, `request_rejected`
 */
export function readWebhook({ headers, query, body }: WebhookDelivery, webhookSecret: string): WebhookNotice {
  const signature = headers['x-signature'];
  if (signature === undefined) return readNotification(query);
  const dataId = query['data.id'];
  if (!isSigned(signature, dataId, headers['x-request-id'], webhookSecret)) throw new GatewayError('webhook_rejected', 'the signature does not prove that MercadoPago sent this');
  const read = webhookSchema.safeParse(parseExactly(body.toString('utf8'), [webhookSecret]));
  const topic = (query.type ?? read.data?.type)?.slice(0, 80);
  if (read.data === undefined || topic === undefined) throw new GatewayError('request_rejected', 'the body is no event of MercadoPago');
  const { id, action, data } = read.data;
  // Without an id of its own, what is signed tells one event from the next.
  const eventId = [topic, dataId ?? '', typeof id === 'string' ? id : id?.text ?? headers['x-request-id'] ?? `ts${partsOf(signature)?.ts ?? ''}`].join(':').slice(0, 255);
  const alert = lookUp(ALERTS, topic) ?? lookUp(ALERTS, `${topic} ${action ?? ''}`);
  const disputed = CHARGEBACKS.has(topic) ? data?.payment_id ?? null : null;
  return {
    topic: action?.slice(0, 80) ?? topic, eventId, isProven: disputed === null, ...(disputed === null ? {} : { isAuthentic: true }), ourReference: null, reference: disputed ?? referenceOf(topic, dataId), ...(alert === undefined ? {} : { alert }),
  };
}

/** What a payment of ours is called: its number, or its order's id, which may come in lower case (§7.3). */
function referenceOf(topic: string, dataId: string | undefined): string | null {
  if (topic === 'payment' && dataId !== undefined && PAYMENT_ID.test(dataId)) return dataId;
  const id = dataId?.toUpperCase() ?? '';
  return topic === 'order' && ORDER_ID.test(id) ? id : null;
}

/** `?topic=payment&id=…`, unsigned: nothing in it tells two events of a payment apart, so each that comes is a reason to ask (webhooks/inbound/webhook-receipt.ts). */
function readNotification({ topic, id }: Readonly<Record<string, string>>): WebhookNotice {
  if (topic === undefined || id === undefined) throw new GatewayError('webhook_rejected', 'there is no signature');
  return { topic: topic.slice(0, 80), eventId: `ipn:${topic}:${id}`.slice(0, 255), isProven: false, ourReference: null, reference: topic === 'payment' && PAYMENT_ID.test(id) ? id : null };
}

/** The id stands in the signed text as it was sent or in lower case: MercadoPago's own pages differ (§7.3). No age is checked: retries come for days. */
function isSigned(header: string, dataId: string | undefined, requestId: string | undefined, secret: string): boolean {
  const parts = partsOf(header);
  if (parts === null) return false;
  const given = Buffer.from(parts.v1, 'hex');
  const manifests = [...new Set([dataId, dataId?.toLowerCase()])].map((id) => [...(id === undefined ? [] : [`id:${id};`]), ...(requestId === undefined ? [] : [`request-id:${requestId};`]), `ts:${parts.ts};`].join(''));
  return manifests.map((manifest) => timingSafeEqual(createHmac('sha256', secret).update(manifest).digest(), given)).includes(true);
}

/** `ts=…,v1=…`, each once, in any order, with blanks around (traps T1 to T3). */
function partsOf(header: string): { ts: string; v1: string } | null {
  const pairs = header.split(',').map((pair) => pair.split('=').map((part) => part.trim()));
  const valuesOf = (name: string): string[] => pairs.filter(([key]) => key === name).map(([, value = '']) => value);
  const [[ts = '', ...otherTimes], [v1 = '', ...otherHashes]] = [valuesOf('ts'), valuesOf('v1')];
  const isWhole = otherTimes.length === 0 && otherHashes.length === 0 && pairs.every((pair) => pair.length === 2);
  return isWhole && /^[0-9]{1,16}$/.test(ts) && /^[0-9a-f]{64}$/i.test(v1) ? { ts, v1 } : null;
}
