import type { FailureDto } from './dto/failure.dto.js';
import type { Failure } from './failure.js';
import { adviceFor, userMessage } from './user-messages.js';

/** Why something failed, with what the customer may be told, in the tenant's language. */
export function failureView(failure: Failure | null, locale: string): FailureDto | null {
  return failure === null ? null : { ...failure, userMessage: userMessage(failure.code, locale), advice: adviceFor(failure.code) };
}
