import type {
  AttemptReference, CaptureOrder, Customer, GatewayContext, OperationOrder, PaymentGateway, PaymentOrder, PaymentSnapshot, RefundOrder, RefundReference, RefundSnapshot, SavedMethodSnapshot, SaveMethodOrder, WebhookDelivery, WebhookNotice,
} from '../contract/payment-gateway.js';
import { MercadopagoClient, type MercadopagoCredentials } from './mercadopago.client.js';
import { OrdersApi } from './mercadopago.orders-api.js';
import { ORDER_ID } from './mercadopago.orders-types.js';
import { PaymentsApi } from './mercadopago.payments-api.js';
import { METHOD_IDS } from './mercadopago.request.js';
import { MercadopagoVault } from './mercadopago.vault.js';
import { readWebhook } from './mercadopago.webhook.js';

/**
 * MercadoPago. A payment belongs to the API that made it, which its reference tells: a number is of `/v1/payments`, `ORD…` of `/v1/orders`. New cards go where
 * the account says (`settings.api`), Yape and vouchers always to payments, which alone are documented for them. An order may show among the payments too,
 * under a number: where orders are made, a card there is none of ours.
 */
export class MercadopagoGateway implements PaymentGateway {
  private readonly usesOrders: boolean;
  private readonly payments: PaymentsApi;
  private readonly orders: OrdersApi;
  private readonly vault: MercadopagoVault;

  constructor(private readonly context: GatewayContext<MercadopagoCredentials>) {
    const client = new MercadopagoClient(context);
    this.usesOrders = context.settings.api === 'orders';
    this.payments = new PaymentsApi(client, context, ({ payment_method_id: method }) => !this.usesOrders || Object.values(METHOD_IDS).includes(method ?? ''));
    this.orders = new OrdersApi(client, context);
    this.vault = new MercadopagoVault(client);
  }

  async createPayment(order: PaymentOrder): Promise<PaymentSnapshot> {
    const charged = await this.vault.chargeable(order);
    return this.usesOrders && order.method.type === 'card' ? this.orders.createPayment(charged) : this.payments.createPayment(charged);
  }

  fetchPayment(reference: string): Promise<PaymentSnapshot> {
    return this.keeperOf(reference).fetchPayment(reference);
  }

  /** Absent is what no API shows that may have made it. */
  async findPayment(attempt: AttemptReference): Promise<PaymentSnapshot | null> {
    return (this.usesOrders ? await this.orders.findPayment(attempt) : null) ?? this.payments.findPayment(attempt);
  }

  async listPayments(range: { from: Date; to: Date }): Promise<PaymentSnapshot[] | null> {
    const payments = await this.payments.listPayments(range);
    const orders = this.usesOrders && payments !== null ? await this.orders.listPayments(range) : [];
    return payments === null || orders === null ? null : [...payments, ...orders];
  }

  capturePayment(order: CaptureOrder): Promise<PaymentSnapshot> {
    return this.keeperOf(order.reference).capturePayment(order);
  }

  voidPayment(order: OperationOrder): Promise<PaymentSnapshot> {
    return this.keeperOf(order.reference).voidPayment(order);
  }

  refundPayment(order: RefundOrder): Promise<RefundSnapshot> {
    return this.keeperOf(order.reference).refundPayment(order);
  }

  findRefund(attempt: RefundReference): Promise<RefundSnapshot | null> {
    return this.keeperOf(attempt.reference).findRefund(attempt);
  }

  savePaymentMethod(order: SaveMethodOrder): Promise<SavedMethodSnapshot> {
    return this.vault.save(order);
  }

  deletePaymentMethod(reference: string): Promise<void> {
    return this.vault.delete(reference);
  }

  forgetCustomer(customer: Customer): Promise<void> {
    return this.vault.forget(customer);
  }

  readWebhook(delivery: WebhookDelivery): WebhookNotice {
    const notice = readWebhook(delivery, this.context.credentials.webhookSecret);
    // Which card it is that a number speaks of, an order of ours or a payment, cannot be told: it is a hint, which names a payment that is known by it or none.
    const isAmbiguous = this.usesOrders && notice.reference !== null && !ORDER_ID.test(notice.reference);
    return isAmbiguous ? { ...notice, isProven: false, isAuthentic: notice.isProven || notice.isAuthentic === true } : notice;
  }

  private keeperOf(reference: string): PaymentsApi | OrdersApi {
    return ORDER_ID.test(reference) ? this.orders : this.payments;
  }
}
