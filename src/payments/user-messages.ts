import type { FailureCode } from './failure.js';

export type Locale = 'es' | 'en';

const AGAIN = { es: 'No pudimos procesar el pago. Inténtalo de nuevo en unos minutos.', en: 'We could not process the payment. Please try again in a few minutes.' };
const OTHER_CARD = { es: 'Tu tarjeta fue rechazada. Usa otra tarjeta o consulta con tu banco.', en: 'Your card was declined. Use another card or ask your bank.' };

/**
 * What the paying customer may be told, by failure code. A stolen or fraudulent card is never called so to the person who holds it
 * (Stripe, "Declines": docs.stripe.com/declines/codes, "don't report more detailed information to your customer").
 */
const MESSAGES: Record<FailureCode, Record<Locale, string>> = {
  card_declined: OTHER_CARD,
  insufficient_funds: { es: 'Tu tarjeta no tiene fondos suficientes. Usa otra tarjeta.', en: 'Your card has insufficient funds. Use another card.' },
  expired_card: { es: 'Tu tarjeta está vencida. Revisa la fecha o usa otra tarjeta.', en: 'Your card has expired. Check the date or use another card.' },
  invalid_card: { es: 'Los datos de la tarjeta no son válidos. Revísalos o usa otra tarjeta.', en: 'The card details are not valid. Check them or use another card.' },
  incorrect_cvc: { es: 'El código de seguridad no es correcto. Revísalo e inténtalo de nuevo.', en: 'The security code is not correct. Check it and try again.' },
  fraud_suspected: OTHER_CARD,
  stolen_or_lost_card: OTHER_CARD,
  issuer_unavailable: { es: 'Tu banco no responde en este momento. Inténtalo de nuevo en unos minutos.', en: 'Your bank is not answering right now. Please try again in a few minutes.' },
  contact_issuer: { es: 'Tu banco no autorizó el pago. Comunícate con tu banco.', en: 'Your bank did not authorise the payment. Please contact your bank.' },
  limit_exceeded: { es: 'El pago supera el límite de tu tarjeta. Usa otra tarjeta o consulta con tu banco.', en: 'The payment exceeds a limit of your card. Use another card or ask your bank.' },
  authentication_failed: { es: 'No se pudo verificar tu identidad con tu banco. Inténtalo de nuevo.', en: 'Your bank could not verify your identity. Please try again.' },
  processing_error: AGAIN,
  gateway_unavailable: AGAIN,
  gateway_misconfigured: { es: 'No pudimos procesar el pago. Comunícate con la tienda.', en: 'We could not process the payment. Please contact the shop.' },
  expired: { es: 'El tiempo para completar el pago terminó. Vuelve a empezar.', en: 'The time to complete the payment is over. Please start again.' },
};

/** What the customer may be told, in the tenant's language; Spanish unless that is English. */
export function userMessage(code: FailureCode, locale: string): string {
  return MESSAGES[code][locale.startsWith('en') ? 'en' : 'es'];
}

/** What the merchant's app should do next: words that it can branch on. */
export const ADVICE = ['try_again_later', 'try_another_method', 'correct_details', 'contact_issuer', 'authenticate_again', 'start_again', 'contact_support'] as const;
export type Advice = (typeof ADVICE)[number];

const ADVICE_OF: Record<FailureCode, Advice> = {
  card_declined: 'try_another_method', insufficient_funds: 'try_another_method', expired_card: 'correct_details', invalid_card: 'correct_details', incorrect_cvc: 'correct_details',
  // Whoever holds the card learns nothing more; no other try with it.
  fraud_suspected: 'try_another_method', stolen_or_lost_card: 'try_another_method',
  issuer_unavailable: 'try_again_later', contact_issuer: 'contact_issuer', limit_exceeded: 'try_another_method', authentication_failed: 'authenticate_again', processing_error: 'try_again_later',
  gateway_unavailable: 'try_again_later', gateway_misconfigured: 'contact_support', expired: 'start_again',
};

export function adviceFor(code: FailureCode): Advice {
  return ADVICE_OF[code];
}
