import type { FailureCode } from '../failure.js';
import type { Advice } from '../user-messages.js';

/** Why a payment failed. */
export class FailureDto {
  code!: FailureCode;
  /** The PSP's own word. */
  pspCode!: string | null;
  /** For the merchant. */
  message!: string;
  /** For the paying customer, in the tenant's language. */
  userMessage!: string;
  /** What to do next. */
  advice!: Advice;
  /** Whether the same card may succeed later. */
  retryable!: boolean;
}
