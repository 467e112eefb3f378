import { type Answer } from '../emulator/exchange.js';

// Culqi's error answers (culqi.md §1.13).

const TRY_LATER = 'Inténtalo en unos minutos.';

export function invalidKey(): Answer {
  const merchant_message = 'La llave no es válida o no corresponde a este recurso.';
  return { status: 401, json: { object: 'error', type: 'authentication_error', code: 'invalid_key', merchant_message } };
}

export function parameterError(param: string): Answer {
  return {
    status: 422,
    json: {
      object: 'error', type: 'parameter_error', code: `invalid_${param}`, param,
      merchant_message: `El parámetro ${param} falta o no es válido.`, user_message: 'Revisa los datos e inténtalo otra vez.',
    },
  };
}

/** The token is unknown, used up or older than five minutes. Culqi's exact code is not published. */
export function invalidToken(): Answer {
  return {
    status: 400,
    json: {
      object: 'error', type: 'invalid_request_error', code: 'invalid_token', param: 'source_id',
      merchant_message: 'El token no existe, ya fue usado o expiró.', user_message: 'Ingresa otra vez los datos de tu tarjeta.',
    },
  };
}

export function badRequest(message: string, status = 400): Answer {
  return { status, json: { object: 'error', type: 'invalid_request_error', merchant_message: message } };
}

export function notFound(id: string): Answer {
  const messages = { merchant_message: `No existe el recurso ${id}.`, user_message: 'No encontramos lo que buscas.' };
  return { status: 404, json: { object: 'error', type: 'resource_error', ...messages } };
}

export function tooManyRequests(): Answer {
  return { status: 429, json: { object: 'error', type: 'limit_api_error', merchant_message: 'Demasiadas solicitudes.', user_message: TRY_LATER } };
}

/** Culqi's own failures: Spring's 500, a balancer's 502, an API error 503, and API Gateway's 504, which the token host words otherwise. */
export function serviceFailure(status: 500 | 502 | 503 | 504, path: string, nowMs: number): Answer {
  switch (status) {
    case 500:
      return { status, json: { timestamp: new Date(nowMs).toISOString(), status, error: 'Internal Server Error', message: 'No message available', path } };
    case 502:
      return { status, contentType: 'text/html', text: '<html><body><h1>502 Bad Gateway</h1></body></html>' };
    case 503:
      return { status, json: { object: 'error', type: 'api_error', merchant_message: 'Servicio no disponible.', user_message: TRY_LATER } };
    case 504:
      if (path !== '/v2/tokens') return { status, json: { message: 'Endpoint request timed out' } };
      return { status, json: { object: 'error', merchant_message: 'Tiempo de espera agotado.', user_message: TRY_LATER } };
  }
}
