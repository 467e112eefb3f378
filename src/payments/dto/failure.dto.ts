import type { FailureCode } from '../failure.js';

/** Why a payment failed. */
export class FailureDto {
  code!: FailureCode;
  /** The PSP's own word. */
  pspCode!: string | null;
  /** For the merchant. */
  message!: string;
  /** For the paying customer, in the tenant's language. */
  userMessage!: string;
  /** Whether the same card may succeed later. */
  retryable!: boolean;
}
