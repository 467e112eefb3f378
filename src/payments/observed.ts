import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import type { Failure } from './payment.js';

/** What one call or look-up taught us about an attempt. */
export type Observed =
  | { kind: 'snapshot'; snapshot: PaymentSnapshot }
  /** The call surely had no effect. */
  | { kind: 'not_done'; failure: Failure }
  /** Shown to be absent, by the rule of absence (look-up-plan.ts). */
  | { kind: 'absent' }
  | { kind: 'unknown'; detail: string }
  | { kind: 'schedule_exhausted' };
