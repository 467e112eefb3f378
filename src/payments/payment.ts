import type { CaptureMethod, CardFacts, Customer, CustomerAction, FeeBreakdown, PaymentMethodType } from '../gateways/contract/payment-gateway.js';
import type { FeeRule } from '../shared/fees.js';
import type { Money } from '../shared/money.js';
import type { Failure } from './failure.js';
import type { Refund } from './refund.js';
import type { AttemptOperation, AttemptStatus, PaymentState } from './payment-state.js';

/** What the API shows of a payment method; never the token. */
export type PaymentMethodFacts = CardFacts & { type: PaymentMethodType; installments: number };

/** What each PSP wants to know beside, by its name; kept with the payment and never shown. */
export type PaymentMethodOptions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The kept card that a payment is made with, and the environment that its PSP keeps it in. */
export type SavedFacts = { id: string; environment: 'sandbox' | 'production'; initiatedBy?: 'customer' | 'merchant' };

/** What the payment costs, in minor units; `table`: worked out from the account's fee table, as the PSP does not say. */
export type PaymentFees = { fee: bigint; breakdown: FeeBreakdown | null; net: bigint | null; source: 'psp' | 'table' };

/** How the customer was authenticated. The proof itself (cavv) is not kept. */
export type ThreeDsFacts = { eci: string; xid: string; protocolVersion: string; directoryServerTransactionId: string };

/** One gateway that was considered for a payment, and why it was or was not eligible. */
export type PlanCandidate = { gateway: string; eligible: boolean; reason: string };
export type PaymentPlan = { forced: string | null; candidates: PlanCandidate[]; pricing?: PaymentPricing };

/** The rules that held when the payment was sent: a later change of a fee table does not change it (rows E15, F7). */
export type PaymentPricing = { /** Of the account, where the PSP reports no fee. */ fees: FeeRule | null; /** What another provider would take. */ reference: FeeRule | null };

/** A payment as the service thinks of it; the table row is its storage. */
export type Payment = {
  id: string;
  tenantId: string;
  version: number;
  state: PaymentState;
  /** An operation whose end is not known: until then there is no other. */
  pendingOperation: 'capture' | 'void' | null;
  /** Until when authorised money is reserved. */
  authorizationExpiresAt: Date | null;
  amount: Money;
  capturedMinor: bigint;
  fees: PaymentFees | null;
  /** What another provider would have taken more, by the tenant's reference fees; negative when less. */
  savingsMinor: bigint | null;
  refundCount: number;
  captureMethod: CaptureMethod;
  gateway: string | null;
  gatewayReference: string | null;
  authorizationCode: string | null;
  fraudScore: number | null;
  reference: string | null;
  uniqueReference: string | null;
  description: string | null;
  returnUrl: string | null;
  /** One of the tenant's customers, where the order named one. */
  customerId: string | null;
  customer: Customer;
  metadata: Record<string, string>;
  method: (PaymentMethodFacts & { options?: PaymentMethodOptions; saved?: SavedFacts }) | null;
  tokensSealed: string | null;
  nextAction: (CustomerAction & { gateway: string }) | null;
  failure: Failure | null;
  threeDs: ThreeDsFacts | null;
  plan: PaymentPlan | null;
  expiresAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
};

/** One call to one PSP. */
export type Attempt = {
  id: string;
  tenantId: string;
  paymentId: string;
  gateway: string;
  gatewayAccountId: string;
  operation: AttemptOperation;
  /** The refund that a `refund` asks for. */
  refundId: string | null;
  /** The attempt whose stray money this one gives back. */
  returnsAttemptId: string | null;
  status: AttemptStatus;
  amount: Money;
  gatewayReference: string | null;
  code: string | null;
  pspCode: string | null;
  latencyMs: number | null;
  sentAt: Date;
  deadlineAt: Date;
  lookUps: number;
  nextLookUpAt: Date | null;
  firstAbsentAt: Date | null;
  answer: string | null;
  createdAt: Date;
};

/** A payment with its attempts and refunds, oldest first, as read or written in one transaction. */
export type PaymentRecord = { payment: Payment; attempts: Attempt[]; refunds: Refund[] };
