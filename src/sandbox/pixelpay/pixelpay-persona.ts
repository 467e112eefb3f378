import { randomBytes, randomInt } from 'node:crypto';
import { z } from 'zod';
import { type Call, type Persona } from '../emulator/emulator-server.js';
import { type Answer } from '../emulator/exchange.js';
import { type Books, type BookedPayment } from './books.js';
import { commissionOf, major } from './commission.js';
import { type Settings } from './settings.js';
import { behaviourOf, REFUSALS } from './test-cards.js';
import { type Unfolding } from './unfolding.js';

export const PIXELPAY_ROUTES = [
  'POST /v2/tokens', 'POST /v2/payments', 'GET /v2/payments', 'GET /v2/payments/:id', 'POST /v2/payments/:id/refunds', 'GET /v2/payments/:id/refunds/:id',
];

/** The payer's browser posts the card itself, from the shop's page. */
const CORS = { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'POST, OPTIONS', 'access-control-allow-headers': 'content-type' };

/** In minor units: 1.00 to 50 000.00 (pixelpay.md §2.1, MinimumAmount and MaximumAmount). */
const AMOUNT = { min: 100, max: 5_000_000 };
const CURRENCIES = ['DOP', 'USD', 'EUR'];

const tokenSchema = z.object({
  public_key: z.string().regex(/^pub_(test|live)_[0-9A-Za-z]{6,}$/), card_number: z.string().regex(/^[0-9]{13,19}$/), cvv: z.string().regex(/^[0-9]{3,4}$/),
  expiry_month: z.coerce.number().int().min(1).max(12), expiry_year: z.coerce.number().int().min(2000).max(9999),
});
const paymentSchema = z.object({
  card_token: z.string(), customer_email: z.string().max(254), order_id: z.string().min(1).max(64), description: z.string().nullish(), webhook_url: z.url().nullish(), metadata: z.record(z.string(), z.unknown()).nullish(),
});
const refundSchema = z.object({ amount: z.int().min(1), refund_id: z.string().min(1).max(64) });

/** PixelPay as pixelpay.md §§2.1 and 2.4 describe it: `order_id` and `refund_id` are unique, and what is accepted is done only later. */
export class PixelpayPersona implements Persona {
  constructor(private readonly books: Books, private readonly settings: Settings, private readonly unfolding: Unfolding, private readonly nowMs: () => number) {}

  readonly routeOf = (method: string, path: string): string | null => {
    const route = `${method} ${path.replace(/^\/v2\/payments\/[^/]+/, '/v2/payments/:id').replace(/\/refunds\/[^/]+$/, '/refunds/:id')}`;
    return PIXELPAY_ROUTES.includes(route) ? route : null;
  };

  /** The API key stands in the body of a POST and in a header of a GET; a token is made with the public key. */
  readonly merchantOf = (headers: Call['headers'], body: Buffer): string | null => {
    const given = objectIn(body);
    const key = headers['x-api-key'] ?? given?.['api_key'] ?? given?.['public_key'];
    const match = typeof key === 'string' ? /^(?:pk|pub)_(test|live)_([0-9A-Za-z]{6,})$/.exec(key) : null;
    return match === null ? null : `${match[1] ?? ''}_${match[2] ?? ''}`;
  };

  readonly failure = (status: 500 | 502 | 503 | 504): Answer => failed(status, 'network_error', 'The network did not answer.');
  readonly tooMany = (): Answer => failed(429, 'rate_limit', 'Too many requests; wait a minute.');
  readonly tooLarge = (): Answer => failed(413, 'invalid_request', 'The body is too large.');

  readonly answer = (call: Call): Answer => {
    if (call.method === 'OPTIONS' && call.url.pathname === '/v2/tokens') return { status: 204, headers: CORS };
    const route = this.routeOf(call.method, call.url.pathname);
    if (route === null) return failed(404, 'not_found', 'There is no such route.');
    if (route === 'POST /v2/tokens') return this.createToken(call);
    const merchant = this.merchantOf(call.headers, call.body);
    const key = call.headers['x-api-key'] ?? objectIn(call.body)?.['api_key'];
    if (merchant === null || !/^pk_/.test(String(key))) return failed(401, 'api_key_invalid', 'The API key is not valid.');
    const [, , , id = '', , refundId = ''] = call.url.pathname.split('/').map(decodeURIComponent);
    switch (route) {
      case 'POST /v2/payments': return this.createPayment(merchant, objectIn(call.body) ?? {});
      case 'GET /v2/payments': return this.shown(this.books.byOrder(merchant, call.url.searchParams.get('order_id') ?? ''), merchant);
      case 'GET /v2/payments/:id': return this.shown(this.books.payment(id), merchant);
      case 'POST /v2/payments/:id/refunds': return this.createRefund(merchant, id, objectIn(call.body) ?? {});
      default: return this.refundShown(merchant, id, refundId);
    }
  };

  private createToken(call: Call): Answer {
    const read = tokenSchema.safeParse(objectIn(call.body));
    const merchant = this.merchantOf({}, call.body);
    if (!read.success || merchant === null) return { ...failed(422, 'invalid_card', 'The card details are not valid.'), headers: CORS };
    const token = `tok_${randomBytes(9).toString('hex')}`;
    this.books.addToken(merchant, token, behaviourOf(read.data.card_number));
    return { status: 201, headers: CORS, json: { card_token: token } };
  }

  private createPayment(merchant: string, body: Record<string, unknown>): Answer {
    const known = this.books.byOrder(merchant, String(body['order_id']));
    if (known !== undefined) return known.answer;
    if (!CURRENCIES.includes(String(body['currency']))) return failed(422, 'currency_error', 'The currency is not supported.');
    const amount = body['amount'];
    if (typeof amount !== 'number' || !Number.isInteger(amount) || amount < AMOUNT.min || amount > AMOUNT.max) return failed(422, 'invalid_amount', 'The amount is not valid.');
    const read = paymentSchema.safeParse(body);
    const behaviour = this.books.behaviourOf(merchant, String(body['card_token']));
    if (!read.success || behaviour === null) return failed(402, 'invalid_card', 'The card token is not valid.');

    const commission = commissionOf(amount, this.settings.current());
    const txnId = `txn_pixel_${randomBytes(8).toString('hex')}`;
    const authCode = `AUTH${String(randomInt(1_000_000)).padStart(6, '0')}`;
    const nowMs = this.nowMs();
    const accepted = {
      status: behaviour.kind === 'waits' ? 'pending' : 'success', txn_id: txnId, auth_code: authCode, commission: major(commission), net_amount: major(amount - commission),
      currency: String(body['currency']), timestamp: new Date(nowMs).toISOString(),
    };
    const answer = behaviour.kind === 'refused' ? failed(402, behaviour.code, REFUSALS[behaviour.code]) : { status: 200, json: accepted };
    const payment: BookedPayment = {
      merchant, txn_id: txnId, order_id: read.data.order_id, amount, currency: String(body['currency']), status: behaviour.kind === 'refused' ? 'failed' : 'pending', commission,
      fraud_score: behaviour.kind === 'refused' && behaviour.code === 'fraud_detected' ? 92 : 8, auth_code: authCode, refunded: 0, created_at: nowMs, webhook_url: read.data.webhook_url ?? null,
      answer: { status: answer.status, json: answer.json },
    };
    this.books.addPayment(payment);
    if (behaviour.kind !== 'refused') this.unfolding.completeLater(payment, behaviour.kind === 'waits');
    return answer;
  }

  private shown(payment: BookedPayment | undefined, merchant: string): Answer {
    if (payment === undefined || payment.merchant !== merchant || !this.isVisible(payment)) return failed(404, 'not_found', 'There is no such payment.');
    const { status, txn_id, order_id, amount, currency, commission, auth_code, refunded, fraud_score, created_at } = payment;
    return {
      status: 200,
      json: {
        status, txn_id, order_id, amount, currency, commission: major(commission), net_amount: major(amount - commission), auth_code, refunded_amount: refunded, fraud_score,
        timestamp: new Date(created_at).toISOString(),
      },
    };
  }

  private createRefund(merchant: string, txnId: string, body: Record<string, unknown>): Answer {
    const payment = this.books.payment(txnId);
    if (payment === undefined || payment.merchant !== merchant) return failed(404, 'not_found', 'There is no such payment.');
    const read = refundSchema.safeParse(body);
    if (!read.success) return failed(422, 'invalid_amount', 'The refund is not valid.');
    const accepted = { status: 'pending', refund_id: read.data.refund_id, txn_id: txnId };
    if (this.books.refund(merchant, read.data.refund_id) !== undefined) return { status: 200, json: accepted };
    const taken = this.books.refunds(merchant).filter((refund) => refund.txn_id === txnId && refund.status !== 'failed').reduce((total, refund) => total + refund.amount, 0);
    if (payment.status !== 'completed' || taken + read.data.amount > payment.amount) return failed(422, 'invalid_amount', 'More cannot be refunded than was paid.');
    const refund = { merchant, refund_id: read.data.refund_id, txn_id: txnId, amount: read.data.amount, status: 'pending' as const, created_at: this.nowMs() };
    this.books.addRefund(refund);
    this.unfolding.refundLater(refund);
    return { status: 200, json: accepted };
  }

  private refundShown(merchant: string, txnId: string, refundId: string): Answer {
    const refund = this.books.refund(merchant, refundId);
    if (refund === undefined || refund.txn_id !== txnId || !this.isVisible(refund)) return failed(404, 'not_found', 'There is no such refund.');
    return { status: 200, json: { refund_id: refundId, txn_id: txnId, amount: refund.amount, status: refund.status } };
  }

  private isVisible({ created_at }: { created_at: number }): boolean {
    return created_at + this.settings.current().lookupLagMs <= this.nowMs();
  }
}

function failed(status: number, code: string, message: string): Answer {
  return { status, json: { status: code, error_code: code, error_message: message } };
}

function objectIn(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : null;
  } catch {
    return null;
  }
}
