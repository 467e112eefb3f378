import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import type { Database } from '../platform/database/database.js';
import { isId, newId } from '../shared/id.js';
import type { Tickets } from '../tickets/tickets.js';

/** Money that a PSP has under an id of ours that we do not have: the database was restored to an earlier time, say, or another one took over too early (row D9). */
export class UnknownPayments {
  constructor(private readonly database: Database, private readonly tickets: Tickets) {}

  /** Opens a ticket, one for each payment of the PSP's; of what carries no money, or no id of ours, none. */
  async report(tenantId: string, { reference, ourReference, amount, status }: PaymentSnapshot): Promise<void> {
    if ((status !== 'captured' && status !== 'authorized') || ourReference === null || !isId('att', ourReference)) return;
    const id = newId('tic');
    const evidence = { reference, ourReference, status, amountMinor: amount?.amountMinor.toString(), currency: amount?.currency };
    await this.database.transaction(async (transaction) => {
      await this.tickets.open(transaction, { id, tenantId, kind: 'unknown_payment', paymentId: null, attemptId: null, subject: (reference ?? ourReference).slice(0, 100), evidence });
    });
  }
}
