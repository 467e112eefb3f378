import { GatewayError } from '../contract/gateway-error.js';
import type {
  AttemptReference, CaptureOrder, Customer, GatewayContext, OperationOrder, PaymentGateway, PaymentOrder, PaymentSnapshot, RefundOrder, RefundReference, RefundSnapshot, SavedMethodSnapshot, SaveMethodOrder, WebhookDelivery, WebhookNotice,
} from '../contract/payment-gateway.js';
import { CulqiClient, type CulqiAnswer, type CulqiCredentials } from './culqi.client.js';
import { cardOf, FIELDS, REFUND_REASONS } from './culqi.mapping.js';
import { chargeRequest, customerRequest } from './culqi.request.js';
import { chargeSnapshot, declineSnapshot, refundSnapshot, savedDecline } from './culqi.snapshot.js';
import { cardSchema, chargePageSchema, chargeSchema, customerPageSchema, customerSchema, customerWithCardsSchema, errorSchema, refundPageSchema, refundSchema, reviewSchema, type ChargeEntry, type CulqiCharge, type CulqiError, type CulqiRefund } from './culqi.types.js';
import { readWebhook } from './culqi.webhook.js';

/** Life of a card token (psp/culqi.md §1.4). */
export const TOKEN_LIFETIME_MS = 5 * 60_000;

/** The search for a lost charge: from before it was sent until after it could last have been (psp/culqi.md §1.14). */
const SEARCH = { beforeMs: 5 * 60_000, afterMs: 10 * 60_000, pageSize: 100, pagesMax: 20 };

/** How long after a charge its bank may still take the money back: the card networks' 120 days, with time to spare. */
const DISPUTABLE_MS = 180 * 24 * 60 * 60_000;
/** A range that ends this long ago, or less, is the latest. */
const LATEST_MS = 60 * 60_000;
/** Refunded charges that are fetched one by one for a listing, all at once. */
const REFUNDED_MAX = 20;

type Page<Entry> = { data: Entry[]; paging: { next?: string | null | undefined; cursors?: { after?: string | null | undefined } | null | undefined } };

const CARD_ID = /^crd_(test|live)_[0-9A-Za-z]{1,40}$/;
const CHARGE_ID = /^chr_(test|live)_[0-9A-Za-z]{1,40}$/;

/** Culqi, API v2: charges of cards, saved cards and Yape. */
export class CulqiGateway implements PaymentGateway {
  private readonly client: CulqiClient;

  constructor(private readonly context: GatewayContext<CulqiCredentials>) {
    this.client = new CulqiClient(context);
  }

  async createPayment(order: PaymentOrder): Promise<PaymentSnapshot> {
    const answer = await this.client.createCharge(chargeRequest(order));
    const charge = chargeSchema.safeParse(answer.body);
    if (answer.status === 201 && charge.success) return chargeSnapshot(charge.data);
    // 200 is no payment: the customer must authenticate, and the same token is posted again afterwards.
    if (answer.status === 200 && reviewSchema.safeParse(answer.body).success) return this.review();
    const error = errorSchema.safeParse(answer.body);
    if ((answer.status === 402 || answer.status === 400) && error.success && isCardError(error.data)) return declineSnapshot(error.data);
    throw troubleOf(answer);
  }

  async fetchPayment(reference: string): Promise<PaymentSnapshot> {
    const answer = await this.client.getCharge(checkedId(reference));
    if (answer.status === 404) throw new GatewayError('payment_not_found', 'Culqi knows no such charge', { httpStatus: 404 });
    const charge = answer.status === 200 ? chargeSchema.safeParse(answer.body) : undefined;
    if (charge?.success !== true) throw troubleOf(answer);
    return chargeSnapshot(charge.data);
  }

  /** All of it: capturing a part is not documented, and the profile says so. */
  async capturePayment({ reference }: CaptureOrder): Promise<PaymentSnapshot> {
    const answer = await this.client.captureCharge(checkedId(reference));
    const charge = chargeSchema.safeParse(answer.body);
    if ([200, 201].includes(answer.status) && charge.success) return chargeSnapshot(charge.data);
    throw troubleOf(answer);
  }

  /**
   * Culqi has no void: a refund of the whole of a charge that was not captured takes its place (psp/culqi.md §1.14). As Culqi may capture by itself
   * and would then give back money that was taken, the charge is looked at first; what is found captured is left alone.
   */
  async voidPayment({ reference, amount }: OperationOrder): Promise<PaymentSnapshot> {
    const before = await this.fetchPayment(reference).catch((error: unknown) => {
      if (error instanceof GatewayError && error.kind === 'outcome_unknown') throw new GatewayError('not_contacted', 'the charge could not be looked at; nothing was asked', { cause: error });
      throw error;
    });
    if (before.status !== 'authorized') return before;
    const answer = await this.client.createRefund({ amount: Number(amount.amountMinor), charge_id: reference, reason: REFUND_REASONS.requested_by_customer });
    if (![200, 201].includes(answer.status) || !refundSchema.safeParse(answer.body).success) throw troubleOf(answer);
    // The refund is booked: an answer that does not come now is looked up later.
    return this.fetchPayment(reference).catch((error: unknown) => { throw new GatewayError('outcome_unknown', 'the released charge could not be looked at', { cause: error }); });
  }

  /** The answer is the refund, which was done; a refusal means that nothing was. */
  async refundPayment({ reference, amount, reason }: RefundOrder): Promise<RefundSnapshot> {
    const answer = await this.client.createRefund({ amount: Number(amount.amountMinor), charge_id: checkedId(reference), reason: REFUND_REASONS[reason] });
    const refund = refundSchema.safeParse(answer.body);
    if ([200, 201].includes(answer.status) && refund.success) {
      if (refund.data.charge_id !== reference) throw new GatewayError('outcome_unknown', 'the answer is about another charge');
      return refundSnapshot(refund.data, amount.currency);
    }
    if (answer.status === 404 && errorSchema.safeParse(answer.body).success) throw new GatewayError('payment_not_found', 'Culqi knows no such charge', { httpStatus: 404 });
    throw troubleOf(answer);
  }

  /**
   * Culqi's refunds carry nothing of ours: this one is the charge's refund of this amount that none of our others is. What the charge itself shows as
   * given back must agree, or the list lags behind, which shows nothing.
   */
  async findRefund({ reference, amount, sentAt, refundedBefore, otherReferences }: RefundReference): Promise<RefundSnapshot | null> {
    const refunds = await this.refundsOf(checkedId(reference), sentAt);
    const found = refunds.find((refund) => BigInt(refund.amount) === amount.amountMinor && !otherReferences.includes(refund.id));
    const { refunded } = await this.fetchPayment(reference);
    const total = refunded?.amountMinor ?? 0n;
    // All that was given back is explained by others, of which some were made in the panel and have no id here.
    if (total === refundedBefore.amountMinor) return null;
    if (found !== undefined) return refundSnapshot(found, amount.currency);
    // Or by what is listed, none of which can be this one: somebody gave back something else in the panel.
    const ofOthers = refunds.filter(({ id }) => !otherReferences.includes(id)).reduce((sum, refund) => sum + BigInt(refund.amount), 0n);
    if (total === refundedBefore.amountMinor + ofOthers) return null;
    throw new GatewayError('outcome_unknown', 'Culqi shows money given back, and lists no refund for it');
  }

  async savePaymentMethod({ token, customer }: SaveMethodOrder): Promise<SavedMethodSnapshot> {
    const answer = await this.client.createCard({ customer_id: await this.customerOf(customer), token_id: token });
    const card = answer.status === 201 ? cardSchema.safeParse(answer.body) : undefined;
    if (card?.success === true) return { status: 'saved', reference: card.data.id, card: cardOf({ source: card.data.source }) };
    if (answer.status === 200 && reviewSchema.safeParse(answer.body).success) {
      return { status: 'declined', decline: { code: 'authentication_failed', pspCode: 'REVIEW', message: 'The card must be authenticated before it can be kept.', retryable: false } };
    }
    // A refused card is answered 400 here, not 402 (psp/culqi.md §1.8).
    const error = errorSchema.safeParse(answer.body);
    if ((answer.status === 402 || answer.status === 400) && error.success && isCardError(error.data)) return savedDecline(error.data);
    throw troubleOf(answer);
  }

  async deletePaymentMethod(reference: string): Promise<void> {
    if (!CARD_ID.test(reference)) throw new GatewayError('request_rejected', 'this is no card id of Culqi');
    const answer = await this.client.deleteCard(reference);
    if (![200, 404].includes(answer.status)) throw troubleOf(answer);
  }

  /** Culqi's customer with this e-mail address, of which it takes one each: made, or found (psp/culqi.md §1.8). */
  private async customerOf(customer: Customer): Promise<string> {
    const answer = await this.client.createCustomer(customerRequest(customer));
    const made = answer.status === 201 ? customerSchema.safeParse(answer.body) : undefined;
    if (made?.success === true) return made.data.id;
    const trouble = troubleOf(answer);
    if (trouble.kind !== 'request_rejected') throw trouble;
    const found = await this.findCustomer(customer);
    if (found === null) throw trouble;
    return found;
  }

  /** Whether a customer's cards go with the customer is not documented, so they go first. */
  async forgetCustomer(customer: Customer): Promise<void> {
    const id = await this.findCustomer(customer);
    if (id === null) return;
    const shown = await this.client.getCustomer(id);
    if (shown.status === 404) return;
    const known = shown.status === 200 ? customerWithCardsSchema.safeParse(shown.body) : undefined;
    if (known?.success !== true) throw troubleOf(shown);
    for (const card of known.data.cards ?? []) await this.deletePaymentMethod(card.id);
    const answer = await this.client.deleteCustomer(id);
    if (![200, 404].includes(answer.status)) throw troubleOf(answer);
  }

  /** Culqi's id of the customer with this e-mail address. That customers are listed by it is not documented: if they are not, all are gone through. */
  private async findCustomer({ email }: Customer): Promise<string | null> {
    const filter = { email, limit: String(SEARCH.pageSize) };
    const found = await this.paged((after) => this.customerPage(filter, after), (each) => each.email.toLowerCase() === email.toLowerCase(), true);
    if (found === null) throw tooMany();
    return found[0]?.id ?? null;
  }

  readWebhook(delivery: WebhookDelivery): WebhookNotice {
    return readWebhook(delivery, this.context.credentials);
  }

  /** The charge's refunds since a little before `sentAt`. @throws GatewayError `outcome_unknown` when not all pages could be read */
  private async refundsOf(chargeId: string, sentAt: Date): Promise<CulqiRefund[]> {
    const filter = { creation_date_from: String(sentAt.getTime() - SEARCH.beforeMs), limit: String(SEARCH.pageSize) };
    const found = await this.paged((after) => this.refundPage(filter, after), (refund) => refund.charge_id === chargeId);
    if (found === null) throw tooMany();
    return found;
  }

  async findPayment(attempt: AttemptReference): Promise<PaymentSnapshot | null> {
    const found = await this.chargesAround([attempt]);
    if (found === null) throw tooMany();
    return oursAmong(found, attempt);
  }

  /** One listing for all. Where it is too long to be read, each has one of its own. */
  async findPayments(attempts: readonly AttemptReference[]): Promise<(PaymentSnapshot | null | GatewayError)[]> {
    const found = await this.chargesAround(attempts);
    const answers: (PaymentSnapshot | null | GatewayError)[] = [];
    for (const attempt of attempts) answers.push(await (found === null ? this.findPayment(attempt) : Promise.resolve().then(() => oursAmong(found, attempt))).catch(asGatewayError));
    return answers;
  }

  /** Charges are listed by when they were made: those that were refunded or disputed since are found by their refunds, and by the dispute that they show. */
  async listPayments({ from, to }: { from: Date; to: Date }): Promise<PaymentSnapshot[] | null> {
    const made = await this.paged((after) => this.chargePage(between(from, to), after), () => true);
    const refunds = await this.refundsBetween(from, to);
    if (made === null || refunds === null) return null;
    const charges = new Map([...made, ...await this.disputedBefore(to)].map((entry) => [entry.id, entry]));
    const older = [...new Set(refunds.map((refund) => refund.charge_id))].filter((id) => !charges.has(id));
    if (older.length > REFUNDED_MAX) return null;
    const refunded = await Promise.all(older.map((id) => this.fetchPayment(id).catch(whereUnknown)));
    return [...[...charges.values()].filter(({ metadata }) => typeof metadata?.attempt_id === 'string').map((entry) => chargeSnapshot(readable(entry))), ...refunded.filter((snapshot) => snapshot !== null)];
  }

  /** Disputes have no time of their own: those that stand are asked for with the latest range, once. A list that is too long to be read keeps nothing else back. */
  private async disputedBefore(to: Date): Promise<ChargeEntry[]> {
    if (this.context.now().getTime() - to.getTime() > LATEST_MS) return [];
    const filter = { ...between(new Date(to.getTime() - DISPUTABLE_MS), to), dispute: 'true' };
    return await this.paged((after) => this.chargePage(filter, after), ({ dispute }) => dispute === true) ?? [];
  }

  private refundsBetween(from: Date, to: Date): Promise<CulqiRefund[] | null> {
    return this.paged((after) => this.refundPage(between(from, to), after), () => true);
  }

  /** Every charge that carries the id of one of these attempts; null when not all pages could be read: then absence shows nothing. */
  private async chargesAround(attempts: readonly AttemptReference[]): Promise<ChargeEntry[] | null> {
    const [sent, ended] = [Math.min(...attempts.map(({ sentAt }) => sentAt.getTime())), Math.max(...attempts.map(({ deadlineAt }) => deadlineAt.getTime()))];
    const filter = {
      creation_date_from: String(sent - SEARCH.beforeMs), creation_date_to: String(ended + SEARCH.afterMs), currency_code: attempts[0]?.amount.currency ?? '', limit: String(SEARCH.pageSize),
    };
    const ids = new Set<unknown>(attempts.map(({ attemptId }) => attemptId));
    return this.paged((after) => this.chargePage(filter, after), (entry) => ids.has(entry.metadata?.attempt_id));
  }

  private async chargePage(filter: Record<string, string>, after: string | undefined) {
    const answer = await this.client.listCharges(after === undefined ? filter : { ...filter, after });
    const list = answer.status === 200 ? chargePageSchema.safeParse(answer.body) : undefined;
    if (list?.success !== true) throw troubleOf(answer);
    return list.data;
  }

  private async refundPage(filter: Record<string, string>, after: string | undefined) {
    const answer = await this.client.listRefunds(after === undefined ? filter : { ...filter, after });
    const list = answer.status === 200 ? refundPageSchema.safeParse(answer.body) : undefined;
    if (list?.success !== true) throw troubleOf(answer);
    return list.data;
  }

  private async customerPage(filter: Record<string, string>, after: string | undefined) {
    const answer = await this.client.listCustomers(after === undefined ? filter : { ...filter, after });
    const list = answer.status === 200 ? customerPageSchema.safeParse(answer.body) : undefined;
    if (list?.success !== true) throw troubleOf(answer);
    return list.data;
  }

  /** What is wanted of all pages of a list, or of those up to the first that has some; null when there are more than are read. */
  private async paged<Entry extends { id: string }>(read: (after: string | undefined) => Promise<Page<Entry>>, isWanted: (entry: Entry) => boolean, someAreEnough = false): Promise<Entry[] | null> {
    const found: Entry[] = [];
    let after: string | undefined;
    for (let page = 0; page < SEARCH.pagesMax; page++) {
      const { data, paging } = await read(after);
      found.push(...data.filter(isWanted));
      if (someAreEnough && found.length > 0) return found;
      after = paging.cursors?.after ?? data.at(-1)?.id;
      // The counter is not to be trusted; an empty page or no next one is the end (psp/culqi.md §1.11).
      if (data.length === 0 || paging.next == null || after === undefined) return found;
    }
    return null;
  }

  private review(): PaymentSnapshot {
    const expiresAt = new Date(this.context.now().getTime() + TOKEN_LIFETIME_MS);
    return {
      status: 'requires_action', action: { type: 'three_ds', publicKey: this.context.credentials.publicKey, expiresAt },
      reference: null, ourReference: null, amount: null, captured: null, refunded: null, pspCode: 'REVIEW', raw: { action_code: 'REVIEW' },
    };
  }
}

/** What carries the attempt's id: the first, and the others as duplicates. A failed charge under the same attempt says less than one that took money. */
function oursAmong(found: readonly ChargeEntry[], { attemptId }: AttemptReference): PaymentSnapshot | null {
  const charges = found.filter(({ metadata }) => metadata?.attempt_id === attemptId).map(readable);
  const snapshots = charges.sort((a, b) => (a.creation_date ?? 0) - (b.creation_date ?? 0)).map(chargeSnapshot);
  const [first, ...duplicates] = snapshots.filter(({ status }) => status !== 'declined');
  if (first === undefined) return snapshots[0] ?? null;
  return duplicates.length === 0 ? first : { ...first, duplicates: duplicates.flatMap(({ reference }) => reference ?? []) };
}

/** @throws what is no trouble with Culqi */
function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  throw error;
}

/** Then absence shows nothing. */
function tooMany(): GatewayError {
  return new GatewayError('outcome_unknown', 'Culqi lists more than is read');
}

/** What is not there any more was none of ours. */
function whereUnknown(error: unknown): null {
  if (error instanceof GatewayError && ['payment_not_found', 'request_rejected'].includes(error.kind)) return null;
  throw error;
}

function between(from: Date, to: Date): Record<string, string> {
  return { creation_date_from: String(from.getTime()), creation_date_to: String(to.getTime()), limit: String(SEARCH.pageSize) };
}

function checkedId(reference: string): string {
  if (!CHARGE_ID.test(reference)) throw new GatewayError('request_rejected', 'this is no charge id of Culqi');
  return reference;
}

/** `type` may be missing; a decline's own words tell it too (psp/culqi.md §1.13). */
function isCardError({ type, code, decline_code: declineCode }: CulqiError): boolean {
  return type === 'card_error' || (type == null && (declineCode != null || code === 'card_declined'));
}

function readable(entry: unknown): CulqiCharge {
  const charge = chargeSchema.safeParse(entry);
  if (!charge.success) throw new GatewayError('outcome_unknown', 'Culqi lists the charge in a form that we do not understand');
  return charge.data;
}

/** What an answer that brings no payment means. Only Culqi's own refusal, in its own form, shows that nothing was booked. */
function troubleOf({ status, headers, body }: CulqiAnswer): GatewayError {
  const error = errorSchema.safeParse(body).data;
  const field = error?.param == null ? undefined : FIELDS[error.param] ?? error.param.slice(0, 40);
  const details = {
    httpStatus: status,
    ...(error?.code == null ? {} : { pspCode: error.code.slice(0, 80) }),
    ...(field === undefined ? {} : { field }),
  };
  if (status === 401 || status === 403) return new GatewayError('credentials_rejected', 'Culqi does not accept the keys', details);
  if (status === 429) return new GatewayError('rate_limited', 'Culqi takes no more requests for now', { ...details, ...retryAfter(headers) });
  if ([400, 404, 422].includes(status) && error !== undefined) return new GatewayError('request_rejected', 'Culqi refused the request', details);
  return new GatewayError('outcome_unknown', `Culqi answered ${status} in a form that shows no outcome`, details);
}

function retryAfter(headers: CulqiAnswer['headers']): { retryAfterMs?: number } {
  const seconds = headers['retry-after'] ?? '';
  return /^[0-9]{1,5}$/.test(seconds) ? { retryAfterMs: Number(seconds) * 1_000 } : {};
}
