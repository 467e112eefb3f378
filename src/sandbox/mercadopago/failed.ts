import { type Answer } from '../emulator/exchange.js';

/** MercadoPago's error form (§2.8). */
export function failed(status: number, code: string, description: string, error = 'bad_request'): Answer {
  return { status, json: { message: description, error, status, cause: [{ code: Number(code), description, data: null }] } };
}
