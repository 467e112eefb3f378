import type { PaymentSnapshot } from '../gateways/contract/payment-gateway.js';
import type { Database } from '../platform/database/database.js';
import type { Clock } from '../shared/clock.js';
import type { GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { GatewayCaller, LookUpResult } from './gateway-caller.js';
import { searchPayments } from './payment-search.js';
import type { Attempt } from './payment.js';

/** Payments of one slice that are asked for one by one, at most; and how many of them at once. */
const EACH_MAX = 50;
const AT_ONCE = 5;

/** What a PSP has in its books of a range of time: as it lists them, or, where it lists nothing, as it answers about each payment that we made there. */
export class PspBooks {
  constructor(private readonly database: Database, private readonly accounts: GatewayAccounts, private readonly caller: GatewayCaller, private readonly clock: Clock) {}

  /** `too_many`: a shorter range must be asked for. @param withinMs for all calls together */
  async of(account: GatewayAccount, range: { from: Date; to: Date }, withinMs: number): Promise<PaymentSnapshot[] | 'too_many' | 'no_answer'> {
    if (this.caller.supports(account, 'listPayments')) return this.caller.list(account, range, withinMs);
    const records = await searchPayments(this.database, account.tenantId, { gateway: account.gateway, ...range }, null, EACH_MAX + 1);
    if (records.length > EACH_MAX) return 'too_many';
    const attempts = records.flatMap((record) => record.attempts.filter(({ operation, status }) => operation === 'authorize' && status !== 'sent'));
    return askEach(attempts, (attempt, leftMs) => this.ask(attempt, leftMs), withinMs, this.clock);
  }

  private async ask(attempt: Attempt, withinMs: number): Promise<LookUpResult> {
    return this.caller.lookUp(await this.accounts.version(this.database, attempt.tenantId, attempt.gatewayAccountId), { attempt }, withinMs);
  }
}

/** Asks about each, some at once. One that is not answered about is made up for by the next night; those for whom no time was left, by a shorter range. */
export async function askEach(
  attempts: readonly Attempt[], ask: (attempt: Attempt, withinMs: number) => Promise<LookUpResult>, withinMs: number, clock: Pick<Clock, 'monotonicMs'>,
): Promise<PaymentSnapshot[] | 'too_many' | 'no_answer'> {
  const endsMs = clock.monotonicMs() + withinMs;
  const results: LookUpResult[] = [];
  for (let at = 0; at < attempts.length; at += AT_ONCE) {
    const leftMs = endsMs - clock.monotonicMs();
    if (leftMs <= 0) break;
    results.push(...await Promise.all(attempts.slice(at, at + AT_ONCE).map((attempt) => ask(attempt, leftMs))));
  }
  if (attempts.length > 0 && results.every(({ kind }) => kind === 'no_answer')) return 'no_answer';
  if (results.length < attempts.length) return 'too_many';
  return results.flatMap((result) => (result.kind === 'snapshot' ? [result.snapshot] : []));
}
