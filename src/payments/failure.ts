import type { DeclineCode } from '../gateways/contract/payment-gateway.js';

/** Why a payment failed, as the API says it. */
export type FailureCode = DeclineCode | 'gateway_unavailable' | 'gateway_misconfigured' | 'expired';

/** `userMessage` is added when it is shown, in the tenant's language. */
export type Failure = { code: FailureCode; pspCode: string | null; message: string; retryable: boolean };
