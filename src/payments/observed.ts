import type { PaymentSnapshot, RefundSnapshot } from '../gateways/contract/payment-gateway.js';
import type { Failure } from './failure.js';

/** What a PSP answered. */
export type Answered = { kind: 'snapshot'; snapshot: PaymentSnapshot } | { kind: 'refund'; refund: RefundSnapshot };

/** What one call or look-up taught us about an attempt. */
export type Observed =
  | Answered
  /** The call surely had no effect. */
  | { kind: 'not_done'; failure: Failure; /** How long the PSP asks to be left alone. */ retryAfterMs?: number }
  /** Shown to be absent, by the rule of absence (look-up-plan.ts). */
  | { kind: 'absent' }
  | { kind: 'unknown'; detail: string }
  | { kind: 'schedule_exhausted' };
