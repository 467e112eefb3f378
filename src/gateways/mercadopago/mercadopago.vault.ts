import { GatewayError } from '../contract/gateway-error.js';
import type { Customer, PaymentOrder, SavedMethodSnapshot, SaveMethodOrder } from '../contract/payment-gateway.js';
import type { MercadopagoClient } from './mercadopago.client.js';
import type { ChargeableOrder } from './mercadopago.request.js';
import { keptCard } from './mercadopago.snapshot.js';
import { isAbsence, troubleOf } from './mercadopago.trouble.js';
import { cardIdsSchema, cardSchema, cardTokenSchema, customerSchema, customerSearchSchema } from './mercadopago.types.js';

/** Customers and the cards that MercadoPago keeps for them (psp/mercadopago.md §6). */
export class MercadopagoVault {
  constructor(private readonly client: MercadopagoClient) {}

  async save({ token, customer }: SaveMethodOrder): Promise<SavedMethodSnapshot> {
    const customerId = await this.customerOf(customer);
    const answer = await this.client.createCard(customerId, token);
    const card = [200, 201].includes(answer.status) ? cardSchema.safeParse(answer.body) : undefined;
    if (card?.success !== true) throw troubleOf(answer);
    return keptCard(customerId, card.data);
  }

  async delete(reference: string): Promise<void> {
    const { customerId, cardId } = keptIn(reference);
    await this.deleteCard(customerId, cardId);
  }

  /** Whether a customer's cards go with the customer is not documented, so they go first. */
  async forget({ email }: Customer): Promise<void> {
    const customerId = await this.findCustomer(email);
    if (customerId === null) return;
    const listed = await this.client.listCards(customerId);
    if (isAbsence(listed)) return;
    const cards = listed.status === 200 ? cardIdsSchema.safeParse(listed.body) : undefined;
    if (cards?.success !== true) throw troubleOf(listed);
    for (const { id } of cards.data) await this.deleteCard(customerId, id);
    const answer = await this.client.deleteCustomer(customerId);
    if (answer.status !== 200 && !isAbsence(answer)) throw troubleOf(answer);
  }

  private async deleteCard(customerId: string, cardId: string): Promise<void> {
    const answer = await this.client.deleteCard(customerId, cardId);
    if (answer.status !== 200 && !isAbsence(answer)) throw troubleOf(answer);
  }

  /** MercadoPago's customer with this e-mail address, of which it takes one each: made, or found (psp/mercadopago.md §6). */
  private async customerOf({ email, firstName, lastName }: Customer): Promise<string> {
    const answer = await this.client.createCustomer({ email, ...(firstName === undefined ? {} : { first_name: firstName }), ...(lastName === undefined ? {} : { last_name: lastName }) });
    const made = [200, 201].includes(answer.status) ? customerSchema.safeParse(answer.body) : undefined;
    if (made?.success === true) return made.data.id;
    const trouble = troubleOf(answer);
    if (trouble.kind !== 'request_rejected') throw trouble;
    const found = await this.findCustomer(email);
    if (found === null) throw trouble;
    return found;
  }

  private async findCustomer(email: string): Promise<string | null> {
    const listed = await this.client.searchCustomers(email);
    const page = listed.status === 200 ? customerSearchSchema.safeParse(listed.body) : undefined;
    if (page?.success !== true) throw troubleOf(listed);
    return page.data.results.find((each) => each.email.toLowerCase() === email.toLowerCase())?.id ?? null;
  }

  /** The order, with a token where it names a kept card, and that card's brand. Until there is one nothing was charged, whatever becomes of this call. */
  async chargeable(order: PaymentOrder): Promise<ChargeableOrder> {
    if (order.method.isSaved !== true) return order;
    const { customerId, cardId, methodId } = keptIn(order.method.token);
    const answer = await this.client.createCardToken(customerId, cardId).catch((error: unknown) => { throw error instanceof GatewayError ? beforeTheCharge(error) : error; });
    const token = [200, 201].includes(answer.status) ? cardTokenSchema.safeParse(answer.body) : undefined;
    if (token?.success !== true) throw beforeTheCharge(troubleOf(answer));
    return { ...order, customerId, method: { ...order.method, token: token.data.id, options: { ...order.method.options, paymentMethodId: methodId } } };
  }
}

/** What a reference to a kept card is made of. @throws GatewayError `request_rejected` */
function keptIn(reference: string): { customerId: string; cardId: string; methodId: string } {
  const [, customerId, cardId, methodId] = /^([0-9A-Za-z_-]{1,64}):([0-9]{1,20}):([a-z0-9_]{1,30})$/.exec(reference) ?? [];
  if (customerId === undefined || cardId === undefined || methodId === undefined) throw new GatewayError('request_rejected', 'this is no kept card of MercadoPago');
  return { customerId, cardId, methodId };
}

/** Bytes went out, and none of them can have moved money. */
function beforeTheCharge(trouble: GatewayError): GatewayError {
  return trouble.moneyMayHaveMoved ? new GatewayError('not_contacted', 'MercadoPago made no token of the kept card', { cause: trouble }) : trouble;
}
