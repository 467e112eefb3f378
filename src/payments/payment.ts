import type { CaptureMethod, CardFacts, Customer, CustomerAction, DeclineCode, FeeBreakdown, PaymentMethodType } from '../gateways/contract/payment-gateway.js';
import type { Money } from '../shared/money.js';
import type { AttemptOperation, AttemptStatus, PaymentState } from './payment-state.js';

/** Why a payment failed, as the API says it. */
export type FailureCode = DeclineCode | 'gateway_unavailable' | 'gateway_misconfigured' | 'expired';

/** `userMessage` is added when it is shown, in the tenant's language. */
export type Failure = { code: FailureCode; pspCode: string | null; message: string; retryable: boolean };

/** What the API shows of a payment method; never the token. */
export type PaymentMethodFacts = CardFacts & { type: PaymentMethodType; installments: number };

export type PaymentFees = { fee: bigint; breakdown: FeeBreakdown | null; net: bigint | null };

/** One gateway that was considered for a payment, and why it was or was not eligible. */
export type PlanCandidate = { gateway: string; eligible: boolean; reason: string };
export type PaymentPlan = { forced: string | null; candidates: PlanCandidate[] };

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
  captureMethod: CaptureMethod;
  gateway: string | null;
  gatewayReference: string | null;
  authorizationCode: string | null;
  fraudScore: number | null;
  reference: string | null;
  uniqueReference: string | null;
  description: string | null;
  returnUrl: string | null;
  customer: Customer;
  metadata: Record<string, string>;
  method: PaymentMethodFacts | null;
  tokensSealed: string | null;
  nextAction: (CustomerAction & { gateway: string }) | null;
  failure: Failure | null;
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

/** A payment with its attempts, oldest first, as read or written in one transaction. */
export type PaymentWithAttempts = { payment: Payment; attempts: Attempt[] };
