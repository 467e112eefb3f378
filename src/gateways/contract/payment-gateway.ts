import type { TimeWindow } from '../../shared/clock.js';
import type { Money } from '../../shared/money.js';
import type { GatewayError } from './gateway-error.js';

/**
 * One payment service provider (PSP), as the rest of the service sees it. Read this file first.
 *
 * Every verb answers with a *snapshot*: how the PSP sees the payment now. A decline is a value in the snapshot; only trouble is
 * thrown, always as a {@link GatewayError}. An optional verb that is present is a capability: ask with {@link supports}.
 */
export interface PaymentGateway {
  /** Asks the PSP to take the payment. `order.attemptId` goes out as our reference. Sent at most once: no retry inside. */
  createPayment(order: PaymentOrder): Promise<PaymentSnapshot>;
  /** How the PSP sees the payment it calls `reference`. Throws `payment_not_found` when it knows none. */
  fetchPayment(reference: string): Promise<PaymentSnapshot>;
  /** The payment that carries our attempt id, or null when the PSP, asked completely, shows none. Resolves a lost reply. */
  findPayment?(attempt: AttemptReference): Promise<PaymentSnapshot | null>;
  /** As findPayment, for several of one currency that were sent at about the same time, in their order: where one listing shows them all. Trouble with one stands in its place. */
  findPayments?(attempts: readonly AttemptReference[]): Promise<(PaymentSnapshot | null | GatewayError)[]>;
  /**
   * The payments with a reference of ours that the PSP has made in a range of time, or given money of back, as far as it lists them by that; null when there
   * are more than it lists at once: then a shorter range is asked for. Finds what nobody told us of.
   */
  listPayments?(range: { from: Date; to: Date }): Promise<PaymentSnapshot[] | null>;
  /** Takes authorised money, all of it or a part where the profile says so; what is left is released. Sent at most once. */
  capturePayment?(order: CaptureOrder): Promise<PaymentSnapshot>;
  /** Releases authorised money. Sent at most once. */
  voidPayment?(order: OperationOrder): Promise<PaymentSnapshot>;
  /** Gives captured money back, all of it or a part. Sent at most once. Throws `payment_not_found` when the PSP does not know the payment, or not yet. */
  refundPayment?(order: RefundOrder): Promise<RefundSnapshot>;
  /** The refund that carries our attempt id, or null when the PSP, asked completely, shows none. Resolves a lost reply. */
  findRefund?(attempt: RefundReference): Promise<RefundSnapshot | null>;
  /** Keeps the card of a single-use token at the PSP for payments to come. A refusal of the card is a value. Moves no money. */
  savePaymentMethod?(order: SaveMethodOrder): Promise<SavedMethodSnapshot>;
  /** Forgets what was kept; what the PSP does not know any more is forgotten already. */
  deletePaymentMethod?(reference: string): Promise<void>;
  /** Forgets the customer whom the PSP has by this e-mail address, and every card that it keeps for them; one whom it does not know is forgotten already. */
  forgetCustomer?(customer: Customer): Promise<void>;
  /**
   * Proves that the PSP sent this, and tells which payment it speaks of; never what happened, which is asked. Throws `webhook_rejected` when it is not
   * authentic, `request_rejected` when it is and cannot be read.
   */
  readWebhook?(delivery: WebhookDelivery): WebhookNotice;
}

/** The verbs that a PSP may lack. */
export type OptionalVerb = { [V in keyof PaymentGateway]-?: undefined extends PaymentGateway[V] ? V : never }[keyof PaymentGateway];

/** Tells whether the gateway has the verb, and narrows its type so that it can be called. */
export function supports<V extends OptionalVerb>(gateway: PaymentGateway, verb: V): gateway is PaymentGateway & Required<Pick<PaymentGateway, V>> {
  return typeof gateway[verb] === 'function';
}

export type CaptureMethod = 'automatic' | 'manual';
export const PAYMENT_METHOD_TYPES = ['card', 'yape', 'cash_voucher'] as const;
export type PaymentMethodType = (typeof PAYMENT_METHOD_TYPES)[number];

/** What one call asks of the PSP. Everything the adapter may use, and nothing else. */
export type PaymentOrder = {
  /** Our reference at the PSP: the attempt id. */
  attemptId: string;
  paymentId: string;
  amount: Money;
  capture: CaptureMethod;
  method: {
    type: PaymentMethodType;
    /** The PSP's own single-use token. A secret. Empty for a method that needs none: a voucher. */
    token: string;
    /** The token is a `reference` of savePaymentMethod's, which lives on. */
    isSaved?: boolean;
    /** The merchant charges a kept card by itself, as for a renewal: no customer is there to be asked. */
    isMerchantInitiated?: boolean;
    installments: number;
    /** What this PSP wants to know beside, as the client gave it: untrusted. */
    options?: Readonly<Record<string, unknown>>;
  };
  /** What the customer's authentication brought: the second step after `requires_action` of type `three_ds`. */
  authentication?: ThreeDsResult;
  /** Any length up to 255; the adapter cuts or pads to what its PSP takes. */
  description: string | null;
  customer: Customer;
};

/** The result of a 3-D Secure authentication, as the PSP's browser script gave it (EMV 3-D Secure; names as in design/api.md). The cavv is a secret. */
export type ThreeDsResult = { eci: string; xid: string; cavv: string; protocolVersion: string; directoryServerTransactionId: string };

export type Customer = {
  email: string;
  firstName?: string;
  lastName?: string;
  phone?: string;
  country?: string;
  address?: { line1?: string; city?: string; state?: string; postalCode?: string };
  document?: { type: string; number: string };
  ip?: string;
  deviceId?: string;
};

/** What one operation on a payment asks of the PSP. `attemptId` is our reference and outgoing key; `reference` is what the PSP calls the payment. */
export type OperationOrder = { attemptId: string; paymentId: string; reference: string; amount: Money };

/** `amount` is what is captured, of `authorized`. */
export type CaptureOrder = OperationOrder & { authorized: Money };

export const REFUND_REASONS = ['duplicate', 'fraudulent', 'requested_by_customer'] as const;
export type RefundReason = (typeof REFUND_REASONS)[number];

/** `amount` is what is given back. `isWhole`: all of the captured amount, none of it given back before. */
export type RefundOrder = OperationOrder & { reason: RefundReason; isWhole?: boolean };

export type SaveMethodOrder = { /** Single-use. A secret. */ token: string; customer: Customer };

/** `reference` is what later payments give as their token: a secret. */
export type SavedMethodSnapshot =
  | { status: 'saved'; reference: string; card: CardFacts & { expiryMonth?: number; expiryYear?: number } }
  | { status: 'declined'; decline: Decline };

/** What is needed to look for a refund whose reply was lost. Of a PSP that honours no key there is never more than one of them for a payment. */
export type RefundReference = OperationOrder & {
  sentAt: Date;
  deadlineAt: Date;
  /** The payment's other refunds that are known to have succeeded: what they add up to, and what the PSP calls them. */
  refundedBefore: Money;
  otherReferences: readonly string[];
};

/** How the PSP sees a refund now. */
export type RefundSnapshot = {
  /** The PSP's id of the refund; null where it gives none. */
  reference: string | null;
  /** Null when the answer does not show it. */
  amount: Money | null;
  pspCode?: string;
  /** The PSP's answer for the audit trail, already without tokens, keys and card data. */
  raw: unknown;
} & ({ status: 'succeeded' } | { status: 'pending'; unmapped?: string } | { status: 'failed'; message: string });

/** A webhook as it came: header names in lower case, the query's parameters that stand there once, the body byte by byte. */
export type WebhookDelivery = { headers: Readonly<Record<string, string>>; query: Readonly<Record<string, string>>; body: Buffer };

/** What a webhook speaks of. */
export type WebhookNotice = {
  /** The PSP's word for what happened: an open string. */
  topic: string;
  /** What tells two deliveries of one event from two events. */
  eventId: string;
  /** The PSP's id of the payment, or our attempt id, whichever it names; both null when it speaks of no payment. */
  reference: string | null;
  ourReference: string | null;
  /** Our attempt id of the refund it speaks of. */
  refundReference?: string;
  /** False where the PSP signs nothing: then anybody may have sent it, and it is no more than a hint. */
  isProven: boolean;
  /** It came from the PSP, and still what it names is no more than a hint. */
  isAuthentic?: boolean;
  /** What people must hear of at once, in a few words, where no payment shows it. */
  alert?: string;
};

/** What is needed to look for a payment whose reply was lost. */
export type AttemptReference = {
  attemptId: string;
  amount: Money;
  /** When the call was about to go out, and when it could at the latest have gone out. Wall clock. */
  sentAt: Date;
  deadlineAt: Date;
};

/** How the PSP sees a payment now. */
export type PaymentSnapshot = SnapshotFacts & SnapshotOutcome;

export type SnapshotOutcome =
  | { status: 'authorized' | 'captured' | 'voided' | 'expired' }
  /** Also the answer for every PSP word that is not in the adapter's table; `unmapped` then carries that word and raises an alert. */
  | { status: 'pending'; unmapped?: string }
  | { status: 'requires_action'; action: CustomerAction }
  | { status: 'declined'; decline: Decline };

export type SnapshotFacts = {
  /** The PSP's id of the payment; null where it gives none (Culqi's REVIEW). */
  reference: string | null;
  /** The attempt id as the PSP echoes it, or null when the answer does not show it. */
  ourReference: string | null;
  /** The amount asked, not what instalment interest makes of it. Null when the answer does not show it. */
  amount: Money | null;
  captured: Money | null;
  refunded: Money | null;
  fee?: Money;
  feeBreakdown?: FeeBreakdown;
  net?: Money;
  card?: CardFacts;
  authorizationCode?: string;
  /** The PSP's word for the outcome, as it stands in its answer. */
  pspCode?: string;
  fraudScore?: number;
  /** The customer's bank wants the money back, or has it: a chargeback that the merchant has not won. */
  isDisputed?: boolean;
  /** Other payments at the PSP that carry the same attempt id: money taken twice. References, oldest first. */
  duplicates?: string[];
  /** The PSP's answer for the audit trail, already without tokens, keys and card data. */
  raw: unknown;
};

/** Parts of the fee, in minor units of its currency: fee = percent + fixed + tax. */
export type FeeBreakdown = { percentMinor: bigint; fixedMinor: bigint; taxMinor: bigint };

export type CardFacts = { brand?: string; last4?: string; bin?: string; funding?: 'credit' | 'debit' | 'prepaid'; issuerCountry?: string };

/**
 * What the customer must do before the payment can go on:
 * - `three_ds` with `publicKey`: the PSP's script runs in the browser and brings a result, with which the payment is sent again (Culqi).
 * - `three_ds` with `url`: a page of the bank's in a frame, to which `creq` is posted unless it is null; the PSP itself hears how it ends (MercadoPago).
 * - `pay_code`: a voucher to be paid elsewhere.
 */
export type CustomerAction =
  | { type: 'three_ds'; publicKey: string; expiresAt: Date }
  | { type: 'three_ds'; url: string; creq: string | null; expiresAt: Date }
  | { type: 'pay_code'; url: string; code: string | null; expiresAt: Date };

/** Why a payment was refused. `message` is for the merchant; `userMessage` is what the PSP would tell the customer, if it says. */
export type Decline = { code: DeclineCode; pspCode: string; message: string; userMessage?: string; retryable: boolean };

/** Normalised decline codes of the HTTP contract. */
export const DECLINE_CODES = [
  'card_declined', 'insufficient_funds', 'expired_card', 'invalid_card', 'incorrect_cvc', 'fraud_suspected', 'stolen_or_lost_card',
  'issuer_unavailable', 'contact_issuer', 'limit_exceeded', 'authentication_failed', 'processing_error',
] as const;
export type DeclineCode = (typeof DECLINE_CODES)[number];

/** What an adapter is opened with: for one call, or for a few calls within one window. */
export type GatewayContext<Credentials> = {
  credentials: Credentials;
  environment: 'sandbox' | 'production';
  /** What the account says beside, as the definition's `settings` read it. */
  settings: Readonly<Record<string, unknown>>;
  /** Base addresses by the names in the definition's `hosts`. */
  hosts: Readonly<Record<string, URL>>;
  /** Every byte to the PSP goes through here. */
  send: SendHttp;
  /** The time in which all calls of this adapter must begin and end. */
  window: TimeWindow;
  now: () => Date;
};

export type HttpRequest = { method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'; url: URL; headers: Readonly<Record<string, string>>; body?: string };
export type HttpAnswer = { status: number; headers: Readonly<Record<string, string>>; body: string };

/** Sends one request once within the window. @throws GatewayError `not_contacted` before the first byte went out, `outcome_unknown` after it. */
export type SendHttp = (request: HttpRequest, window: TimeWindow) => Promise<HttpAnswer>;
