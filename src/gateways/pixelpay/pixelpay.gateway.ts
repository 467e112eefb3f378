import { GatewayError } from '../contract/gateway-error.js';
import type {
  AttemptReference, GatewayContext, PaymentGateway, PaymentOrder, PaymentSnapshot, RefundOrder, RefundReference, RefundSnapshot, SavedMethodSnapshot, SaveMethodOrder, WebhookDelivery, WebhookNotice,
} from '../contract/payment-gateway.js';
import { PixelpayClient, type PixelpayAnswer, type PixelpayCredentials } from './pixelpay.client.js';
import { paymentRequest, refundRequest } from './pixelpay.request.js';
import { acceptanceSnapshot, declineSnapshot, paymentSnapshot, refundAcceptanceSnapshot, refundRefusalSnapshot, refundSnapshot } from './pixelpay.snapshot.js';
import { failureIn, troubleOf } from './pixelpay.trouble.js';
import { acceptanceSchema, paymentSchema, refundSchema, type PixelpayPayment, type PixelpayRefund } from './pixelpay.types.js';
import { readWebhook } from './pixelpay.webhook.js';

/** PixelPay, API v2 of the project's brief: card payments that are captured at once and settled by webhook or look-up. */
export class PixelpayGateway implements PaymentGateway {
  private readonly client: PixelpayClient;

  constructor(private readonly context: GatewayContext<PixelpayCredentials>) {
    this.client = new PixelpayClient(context);
  }

  async createPayment(order: PaymentOrder): Promise<PaymentSnapshot> {
    const answer = await this.client.createPayment(paymentRequest(order), order.method.token);
    const accepted = answer.status === 200 ? acceptanceSchema.safeParse(answer.body) : undefined;
    if (accepted?.success === true) return acceptanceSnapshot(accepted.data);
    const failure = answer.status === 402 ? failureIn(answer) : undefined;
    if (failure !== undefined) return declineSnapshot(failure);
    throw troubleOf(answer);
  }

  async fetchPayment(reference: string): Promise<PaymentSnapshot> {
    const answer = await this.client.getPayment(reference);
    if (isAbsence(answer)) throw new GatewayError('payment_not_found', 'PixelPay knows no such payment', { httpStatus: 404 });
    const payment = paymentIn(answer);
    if (payment.txn_id !== reference) throw anotherAnswer();
    return paymentSnapshot(payment);
  }

  /** `order_id` is unique at PixelPay: there is one or none. */
  async findPayment({ attemptId }: AttemptReference): Promise<PaymentSnapshot | null> {
    const answer = await this.client.findPayment(attemptId);
    if (isAbsence(answer)) return null;
    const payment = paymentIn(answer);
    if (payment.order_id !== attemptId) throw anotherAnswer();
    return paymentSnapshot(payment);
  }

  async refundPayment(order: RefundOrder): Promise<RefundSnapshot> {
    const answer = await this.client.createRefund(order.reference, refundRequest(order));
    if (answer.status === 200) return refundAcceptanceSnapshot(refundIn(answer, order), order.amount.currency);
    if (isAbsence(answer)) throw new GatewayError('payment_not_found', 'PixelPay knows no such payment', { httpStatus: 404 });
    const failure = answer.status === 402 ? failureIn(answer) : undefined;
    if (failure !== undefined) return refundRefusalSnapshot(failure);
    throw troubleOf(answer);
  }

  async findRefund(attempt: RefundReference): Promise<RefundSnapshot | null> {
    const answer = await this.client.getRefund(attempt.reference, attempt.attemptId);
    return isAbsence(answer) ? null : refundSnapshot(refundIn(answer, attempt), attempt.amount.currency);
  }

  /** A token can be charged again and again by the account that made it, and does not expire (psp/pixelpay.md §2.4): it is its own keeping. */
  savePaymentMethod({ token }: SaveMethodOrder): Promise<SavedMethodSnapshot> {
    return Promise.resolve({ status: 'saved', reference: token, card: {} });
  }

  /** PixelPay has no way to forget a token; without us nobody charges it. */
  deletePaymentMethod(): Promise<void> {
    return Promise.resolve();
  }

  readWebhook(delivery: WebhookDelivery): WebhookNotice {
    return readWebhook(delivery, this.context.credentials.webhookSecret);
  }
}

/** A 404 with PixelPay's word for it. Any other may come from a wrong host or a proxy, and shows nothing about the payment. */
function isAbsence(answer: PixelpayAnswer): boolean {
  return answer.status === 404 && failureIn(answer)?.status === 'not_found';
}

function paymentIn(answer: PixelpayAnswer): PixelpayPayment {
  const payment = answer.status === 200 ? paymentSchema.safeParse(answer.body) : undefined;
  if (payment?.success !== true) throw troubleOf(answer);
  return payment.data;
}

function refundIn(answer: PixelpayAnswer, asked: { reference: string; attemptId: string }): PixelpayRefund {
  const refund = answer.status === 200 ? refundSchema.safeParse(answer.body) : undefined;
  if (refund?.success !== true) throw troubleOf(answer);
  if (refund.data.txn_id !== asked.reference || refund.data.refund_id !== asked.attemptId) throw anotherAnswer();
  return refund.data;
}

function anotherAnswer(): GatewayError {
  return new GatewayError('outcome_unknown', 'PixelPay answered about something else than was asked');
}
