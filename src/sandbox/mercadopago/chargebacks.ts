import { type Answer } from '../emulator/exchange.js';
import { type Books } from './books.js';
import { failed } from './failed.js';
import { type BookedPayment, major, stamp } from './payment.js';

/** Ids of chargebacks have 18 digits and exceed 2^53 (mercadopago.md §§7.2, 8): they are texts here, and numbers in webhooks. */
export const chargebackIdOf = ({ id }: Pick<BookedPayment, 'id'>): string => `217000${String(id).padStart(12, '0')}`;

/** Ten days to send documents (§8). */
const DEADLINE_MS = 10 * 24 * 3_600_000;

/** What a buyer's bank took back, as MercadoPago shows it. */
export class Chargebacks {
  constructor(private readonly books: Books) {}

  get(merchant: string, id: string): Answer {
    const found = this.of(merchant).find((payment) => chargebackIdOf(payment) === id);
    return found === undefined ? failed(404, '2000', 'Chargeback not found', 'not_found') : { status: 200, json: chargebackView(found) };
  }

  search(merchant: string, query: URLSearchParams): Answer {
    const found = this.of(merchant).filter(({ id }) => !query.has('payment_id') || String(id) === query.get('payment_id'));
    const [offset, limit] = [Number(query.get('offset') ?? 0), Number(query.get('limit') ?? 10)];
    return { status: 200, json: { paging: { total: found.length, limit, offset }, results: found.slice(offset, offset + limit).map(chargebackView) } };
  }

  private of(merchant: string): BookedPayment[] {
    return this.books.payments(merchant).filter(({ status }) => status === 'charged_back');
  }
}

function chargebackView(payment: BookedPayment): Record<string, unknown> {
  const isOpen = payment.status_detail === 'in_process';
  return {
    id: chargebackIdOf(payment), payments: [payment.id], currency: payment.site === 'MPE' ? 'PEN' : payment.site, amount: major(payment.amount, payment.site), reason: 'fraud', reason_id: '4837',
    coverage_applied: isOpen ? null : payment.status_detail === 'reimbursed', coverage_elegible: true, documentation_required: isOpen, documentation_status: isOpen ? 'pending' : 'valid', documentation: [],
    date_documentation_deadline: isOpen ? stamp(payment.created_at + DEADLINE_MS) : null, date_created: stamp(payment.created_at), date_last_updated: stamp(payment.updated_at), live_mode: payment.live_mode ?? true,
  };
}
