import { type Charge } from './charge.js';
import { type JsonObject } from './field-rules.js';
import { type Seen, sendRaw } from './raw-client.js';
import { type Token } from './token.js';

/** A shop with an account at the emulator, as the emulator's specs need one: it tokenises, charges and looks up. */
export class Shop {
  constructor(readonly url: string, readonly suffix = 'tienda01', readonly environment: 'test' | 'live' = 'test') {}

  get publicKey(): string {
    return `pk_${this.environment}_${this.suffix}`;
  }

  get secretKey(): string {
    return `sk_${this.environment}_${this.suffix}`;
  }

  tokenise(card: JsonObject = {}): Promise<Seen> {
    const body = { card_number: '4111111111111111', cvv: '123', expiration_month: '09', expiration_year: '2090', email: 'ana@ejemplo.pe', ...card };
    return sendRaw(this.url, { method: 'POST', path: '/v2/tokens', key: this.publicKey, body });
  }

  /** The id of a fresh token; throws if there is none. */
  async token(cardNumber = '4111111111111111', cvv = '123'): Promise<string> {
    const seen = await this.tokenise({ card_number: cardNumber, cvv });
    if (seen.status !== 201) throw new Error(`no token: ${seen.text}`);
    return (seen.json as Token).id;
  }

  /** Charges a fresh token of the card that always works, unless `fields` say otherwise. */
  async charge(fields: JsonObject = {}, timeoutMs?: number): Promise<Seen> {
    const sourceId = fields['source_id'] ?? await this.token();
    const body = { amount: 2000, currency_code: 'PEN', email: 'ana@ejemplo.pe', source_id: sourceId, description: 'Pedido 7001', ...fields };
    return sendRaw(this.url, { method: 'POST', path: '/v2/charges', key: this.secretKey, body, timeoutMs });
  }

  /** The charge that succeeded; throws if it did not. */
  async paid(fields: JsonObject = {}): Promise<Charge> {
    const seen = await this.charge(fields);
    if (seen.status !== 201) throw new Error(`no charge: ${seen.text}`);
    return seen.json as Charge;
  }

  get(path: string): Promise<Seen> {
    return sendRaw(this.url, { method: 'GET', path, key: this.secretKey });
  }

  list(query: Record<string, string | number> = {}): Promise<Seen> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
    return this.get(`/v2/charges?${parameters.toString()}`);
  }
}

/** The ids on a page of the list. */
export function idsOf(seen: Seen): string[] {
  return (seen.json as { data: Charge[] }).data.map(({ id }) => id);
}
