import { type JsonObject } from './field-rules.js';
import { type CardBehaviour } from './test-cards.js';

/** Why a charge failed: what the client is told, and what stays in the books. */
export interface Decline {
  errorBody: (chargeId: string) => JsonObject;
  storedOutcome: (chargeId: string) => JsonObject | null;
}

/** What the card holder reads. Culqi speaks of an expired card when it was stolen, and so do we (culqi.md §1.13). */
const USER_MESSAGES: Record<string, string> = {
  stolen_card: 'Su tarjeta está vencida. Verifique la fecha de vencimiento e inténtelo otra vez.',
  insufficient_funds: 'Su tarjeta no tiene fondos suficientes.',
  incorrect_cvv: 'El código de seguridad es incorrecto.',
  issuer_not_available: 'El banco emisor no responde. Inténtelo en unos minutos.',
};

/** The decline this card gives, or null if the charge succeeds. */
export function declineOf(behaviour: CardBehaviour, isAuthenticated: boolean): Decline | null {
  switch (behaviour.kind) {
    case 'approves':
      return null;
    case 'declines':
      return declinedWith(behaviour.declineCode);
    case 'refused':
      return refusedWith(behaviour.outcomeCode);
    case 'asks_3ds':
      return isAuthenticated && behaviour.declineCode !== null ? declinedWith(behaviour.declineCode) : null;
  }
}

function declinedWith(declineCode: string): Decline {
  const errorBody = (chargeId: string): JsonObject => ({
    object: 'error', type: 'card_error', charge_id: chargeId, code: 'card_declined', decline_code: declineCode,
    merchant_message: `La operación fue denegada: ${declineCode}.`,
    user_message: USER_MESSAGES[declineCode] ?? 'Su tarjeta fue denegada. Comuníquese con su banco.',
  });
  // Recorded charges have an error-shaped outcome, and sometimes none: a reader must bear both.
  return { errorBody, storedOutcome: declineCode === 'processing_error' ? () => null : errorBody };
}

/** The wire form of these refusals is not published: the answer carries no decline_code, the books the outcome code. */
function refusedWith(outcomeCode: string): Decline {
  const messages = { merchant_message: `${outcomeCode}: operación denegada.`, user_message: 'No pudimos procesar su pago.' };
  return {
    errorBody: (chargeId) => ({ object: 'error', type: 'card_error', charge_id: chargeId, code: 'card_declined', ...messages }),
    storedOutcome: () => ({ type: 'operacion_denegada', code: outcomeCode, ...messages }),
  };
}
