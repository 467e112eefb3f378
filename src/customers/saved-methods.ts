import { Logger } from '@nestjs/common';
import { sql } from 'kysely';
import { GatewayError } from '../gateways/contract/gateway-error.js';
import { supports, type Customer, type SavedMethodSnapshot } from '../gateways/contract/payment-gateway.js';
import { gatewayDefinition } from '../gateways/gateways.js';
import type { SecretBox } from '../platform/crypto/secret-box.js';
import type { Database, DatabaseAccess, Transaction } from '../platform/database/database.js';
import type { PageStart } from '../platform/http/pagination.js';
import type { Clock } from '../shared/clock.js';
import { isId, newId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import type { GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { CardVaults } from './card-vaults.js';
import type { Customers } from './customers.js';
import type { SavedMethodRow } from './entities/saved-method.entity.js';
import type { MethodForgetting } from './method-forgetting.js';
import { monthsThatAre, savedMethodOf, type SavedMethod } from './saved-method.js';

/** Cards of one customer, at most: a list shows them all. */
const METHODS_MAX = 50;

/** A saved card, and what payments give as its token. */
export type ChargeableMethod = SavedMethod & { reference: string };

/** A row that was made before the PSP is asked: nobody sees it until the card is kept (method-forgetting.ts). */
type Reserved = SavedMethodRow & { leaving_at: Date };

/** The cards that PSPs keep for customers. No money moves here. */
export class SavedMethods {
  private readonly logger = new Logger(SavedMethods.name);

  /** `callMs`: how long a PSP may take; `settleMs`: by then every request that asked a PSP to keep a card is over. */
  constructor(
    private readonly database: Database,
    private readonly customers: Customers,
    private readonly accounts: GatewayAccounts,
    private readonly vaults: CardVaults,
    private readonly forgetting: MethodForgetting,
    private readonly secretBox: SecretBox,
    private readonly clock: Clock,
    private readonly settings: { callMs: number; settleMs: number },
  ) {}

  /**
   * Has the PSP keep the card of a single-use token. The customer's first is their default. A card that is kept already is found instead.
   * @throws Problem `not_found`, `gateway_not_configured`, `capability_missing`, `validation_failed`, `invalid_state`, `payment_method_declined`, `gateway_unavailable`
   */
  async save(tenantId: string, customerId: string, { gateway: code, token, isDefault }: { gateway: string; token: string; isDefault: boolean }): Promise<{ method: SavedMethod; isNew: boolean }> {
    const customer = await this.customers.find(this.database, tenantId, customerId);
    const account = (await this.accounts.current(this.database, tenantId)).find(({ gateway, enabled }) => gateway === code && enabled);
    if (account === undefined) throw new Problem('gateway_not_configured', 'No enabled account of this gateway is configured.', { errors: [{ field: 'gateway', message: 'is not configured' }] });
    const definition = gatewayDefinition(code);
    const { displayName } = definition;
    const payer = await this.customers.complete(this.database, tenantId, { id: customer.id }) as Customer;
    const errors = definition.missingToSave?.(payer) ?? [];
    if (errors.length > 0) throw new Problem('validation_failed', `${displayName} must know more of the customer.`, { errors });
    const gateway = this.vaults.open(account, this.settings.callMs);
    if (!supports(gateway, 'savePaymentMethod')) throw new Problem('capability_missing', `${displayName} keeps no cards.`, { errors: [{ field: 'gateway', message: 'keeps no cards' }] });

    const reserved = await this.reserve(tenantId, customer.id, account);
    const snapshot = await gateway.savePaymentMethod({ token, customer: payer }).catch(async (error: unknown) => {
      // Where the card may be kept all the same, the job sees to it.
      if (error instanceof GatewayError && !error.moneyMayHaveMoved) await this.database.transaction((transaction) => this.forgetting.drop(transaction, tenantId, reserved.id));
      throw this.problemOf(account, error);
    });
    if (snapshot.status !== 'saved') {
      await this.database.transaction((transaction) => this.forgetting.drop(transaction, tenantId, reserved.id));
      throw declined(snapshot);
    }
    const referenceSealed = this.secretBox.seal(snapshot.reference, tenantId);
    try {
      return await this.keep(reserved, snapshot, referenceSealed, isDefault);
    } catch (error) {
      await this.forgetting.undo({ ...reserved, reference_sealed: referenceSealed }, account);
      throw error;
    }
  }

  /** A customer's cards, the newest first. @throws Problem `not_found` */
  async ofCustomer(tenantId: string, customerId: string): Promise<SavedMethod[]> {
    await this.customers.find(this.database, tenantId, customerId);
    return this.list(this.database, tenantId, customerId);
  }

  /** Cards of all customers of a tenant, newest first, at most `limit`: those about whose end somebody should be told, for instance. */
  async search(tenantId: string, filter: { expiry?: 'valid' | 'expiring' | 'expired' | undefined; from?: Date | undefined; to?: Date | undefined }, after: PageStart | null, limit: number): Promise<SavedMethod[]> {
    let query = this.database.forTenant(tenantId).selectFrom('saved_methods').selectAll().where('leaving_at', 'is', null);
    if (filter.expiry !== undefined) {
      const { from, until } = monthsThatAre(filter.expiry, this.clock.now());
      const month = sql<number>`expiry_year * 12 + expiry_month - 1`;
      query = query.where(month, '>=', from).where(month, '<', until);
    }
    if (filter.from !== undefined) query = query.where('created_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('created_at', '<', filter.to);
    if (after !== null) query = query.where((row) => row.or([row('created_at', '<', after.createdAt), row.and([row('created_at', '=', after.createdAt), row('id', '<', after.id)])]));
    return (await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute()).map(savedMethodOf);
  }

  /** Makes a card the customer's default. @throws Problem `not_found` */
  async makeDefault(tenantId: string, customerId: string, id: string): Promise<SavedMethod> {
    return this.database.transaction(async (transaction) => {
      // One of those who choose, keep or forget a card after the other: there is never more than one default, and none without a card.
      await this.customers.lock(transaction, tenantId, customerId);
      const method = await this.find(transaction, tenantId, customerId, id);
      await this.setDefault(transaction, tenantId, customerId, id);
      return { ...method, isDefault: true };
    });
  }

  /** Forgets a card: it is nobody's from now on, and gone at its PSP as soon as that says so. The newest of the others becomes the default. @throws Problem `not_found` */
  async delete(tenantId: string, customerId: string, id: string): Promise<void> {
    if (!isId('pm', id)) throw noSuchMethod();
    const leftAt = this.clock.now();
    await this.database.transaction(async (transaction) => {
      await this.customers.lock(transaction, tenantId, customerId);
      const methods = transaction.forTenant(tenantId);
      const row = await methods.selectFrom('saved_methods').selectAll().where('id', '=', id).where('customer_id', '=', customerId).executeTakeFirst();
      // The COMMIT of an earlier run stood.
      if (row?.leaving_at?.getTime() === leftAt.getTime()) return;
      if (row === undefined || row.leaving_at !== null) throw noSuchMethod();
      await this.forgetting.leave(transaction, tenantId, [row], leftAt, this.settings.callMs);
      const [newest] = row.is_default === 0 ? [] : await this.list(transaction, tenantId, customerId);
      if (newest !== undefined) await this.setDefault(transaction, tenantId, customerId, newest.id);
    });
    await this.forgetting.tryNow(tenantId, id);
  }

  /** The card that a payment is to be made with. @throws Problem `validation_failed` unless it is one of this customer's */
  async chargeable(access: DatabaseAccess, tenantId: string, customerId: string | null, id: string): Promise<ChargeableMethod> {
    try {
      return this.opened(tenantId, await this.find(access, tenantId, customerId ?? '', id));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      throw notChargeable('names no payment method of this customer');
    }
  }

  /** Whose card it is. @throws Problem `validation_failed` when there is none */
  async ownerOf(access: DatabaseAccess, tenantId: string, id: string): Promise<string> {
    const row = isId('pm', id) ? await access.forTenant(tenantId).selectFrom('saved_methods').select('customer_id').where('id', '=', id).where('leaving_at', 'is', null).executeTakeFirst() : undefined;
    if (row === undefined) throw notChargeable('names no payment method');
    return row.customer_id;
  }

  private async find(access: DatabaseAccess, tenantId: string, customerId: string, id: string): Promise<SavedMethod> {
    const row = isId('pm', id) && isId('cus', customerId)
      ? await access.forTenant(tenantId).selectFrom('saved_methods').selectAll().where('id', '=', id).where('customer_id', '=', customerId).where('leaving_at', 'is', null).executeTakeFirst() : undefined;
    if (row === undefined) throw noSuchMethod();
    return savedMethodOf(row);
  }

  private async list(access: DatabaseAccess, tenantId: string, customerId: string): Promise<SavedMethod[]> {
    const rows = await access.forTenant(tenantId).selectFrom('saved_methods').selectAll().where('customer_id', '=', customerId).where('leaving_at', 'is', null)
      .orderBy('created_at', 'desc').orderBy('id', 'desc').limit(METHODS_MAX).execute();
    return rows.map(savedMethodOf);
  }

  private async setDefault(transaction: Transaction, tenantId: string, customerId: string, id: string): Promise<void> {
    const methods = transaction.forTenant(tenantId);
    await methods.updateTable('saved_methods').set({ is_default: 0 }).where('customer_id', '=', customerId).execute();
    await methods.updateTable('saved_methods').set({ is_default: 1 }).where('id', '=', id).execute();
  }

  /** Notes that a PSP is about to be asked, and has a job see to what may come of it. @throws Problem `not_found`, `invalid_state` when the customer has too many */
  private async reserve(tenantId: string, customerId: string, account: GatewayAccount): Promise<Reserved> {
    const now = this.clock.now();
    const row = {
      id: newId('pm'), customer_id: customerId, gateway: account.gateway, environment: account.environment, gateway_account_id: account.id, reference_sealed: null, leaving_at: now, is_default: 0,
      brand: null, last4: null, bin: null, funding: null, expiry_month: null, expiry_year: null, created_at: now, updated_at: now,
    };
    await this.database.transaction(async (transaction) => {
      await this.customers.lock(transaction, tenantId, customerId);
      const methods = transaction.forTenant(tenantId);
      const taken = await methods.selectFrom('saved_methods').select('id').where('customer_id', '=', customerId).where((each) => each.or([each('leaving_at', 'is', null), each('reference_sealed', 'is', null)])).execute();
      // The COMMIT of an earlier run stood.
      if (taken.some(({ id }) => id === row.id)) return;
      if (taken.length >= METHODS_MAX) throw new Problem('invalid_state', `A customer has at most ${METHODS_MAX} payment methods.`);
      await methods.insertInto('saved_methods', row).execute();
      await this.forgetting.arrange(transaction, tenantId, row, this.settings.settleMs);
    });
    return { ...row, tenant_id: tenantId };
  }

  /** The card is the customer's from now on. @throws Problem `not_found` when the customer was erased meanwhile */
  private async keep(reserved: Reserved, { reference, card }: Kept, referenceSealed: string, isDefault: boolean): Promise<{ method: SavedMethod; isNew: boolean }> {
    const { id, tenant_id: tenantId, customer_id: customerId, gateway, environment } = reserved;
    const columns = {
      reference_sealed: referenceSealed, leaving_at: null, updated_at: this.clock.now(), brand: card.brand?.slice(0, 30) ?? null, last4: card.last4 ?? null, bin: card.bin ?? null, funding: card.funding ?? null,
      expiry_month: card.expiryMonth ?? null, expiry_year: card.expiryYear ?? null,
    };
    return this.database.transaction(async (transaction) => {
      // An erasure that runs beside has this card forgotten, or this sees that there is nobody to keep it for.
      await this.customers.lock(transaction, tenantId, customerId);
      const methods = transaction.forTenant(tenantId);
      const rows = await methods.selectFrom('saved_methods').selectAll().where('customer_id', '=', customerId).execute();
      const same = rows.filter((row) => row.id !== id && row.gateway === gateway && row.environment === environment && row.reference_sealed !== null && this.secretBox.open(row.reference_sealed, tenantId) === reference);
      // One that leaves is kept anew, and must not be forgotten any more.
      for (const row of same) await this.forgetting.drop(transaction, tenantId, row.id);
      const twin = same.find((row) => row.leaving_at === null);
      if (twin !== undefined) {
        await this.forgetting.drop(transaction, tenantId, id);
        if (isDefault) await this.setDefault(transaction, tenantId, customerId, twin.id);
        return { method: savedMethodOf({ ...twin, is_default: isDefault ? 1 : twin.is_default }), isNew: false };
      }
      const own = rows.find((row) => row.id === id);
      if (own === undefined) throw new Error('the card was given up before it was kept');
      // The COMMIT of an earlier run stood.
      if (own.leaving_at === null) return { method: savedMethodOf(own), isNew: true };
      await methods.updateTable('saved_methods').set(columns).where('id', '=', id).execute();
      await this.forgetting.stay(transaction, id);
      const becomesDefault = isDefault || !rows.some((row) => row.leaving_at === null && row.is_default !== 0);
      if (becomesDefault) await this.setDefault(transaction, tenantId, customerId, id);
      return { method: savedMethodOf({ ...own, ...columns, is_default: becomesDefault ? 1 : 0 }), isNew: true };
    });
  }

  private opened(tenantId: string, method: SavedMethod): ChargeableMethod {
    if (method.referenceSealed === null) throw new Error(`nothing is known of how ${method.id} is charged`);
    return { ...method, reference: this.secretBox.open(method.referenceSealed, tenantId) };
  }

  /** What a client is told of trouble with a PSP that was to keep a card. */
  private problemOf({ gateway }: GatewayAccount, error: unknown): unknown {
    if (!(error instanceof GatewayError)) return error;
    const { kind, pspCode, field = 'token', retryAfterMs = 5_000 } = error;
    this.logger.warn({ gateway, kind, pspCode, alert: kind === 'credentials_rejected', msg: 'the gateway did not keep a payment method' });
    // To payments a token is what one gateway's is among others; here there is one.
    const named = field.startsWith('paymentMethod.tokens.') ? 'token' : field;
    if (kind === 'request_rejected') return new Problem('validation_failed', `The gateway refused the ${named === 'token' ? 'token' : 'request'}.`, { errors: [{ field: named, message: 'was refused by the gateway' }], cause: error });
    if (kind === 'credentials_rejected') return new Problem('gateway_unavailable', 'The gateway does not accept the credentials of the account.', { cause: error });
    return new Problem('gateway_unavailable', kind === 'rate_limited' ? 'The gateway takes no more requests for now.' : 'The gateway did not answer.', { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1_000)), cause: error });
  }
}

type Kept = Extract<SavedMethodSnapshot, { status: 'saved' }>;

function declined({ decline: { code } }: Exclude<SavedMethodSnapshot, Kept>): Problem {
  return new Problem('payment_method_declined', 'The card was declined.', { errors: [{ field: 'token', message: code }], extra: { declineCode: code } });
}

function noSuchMethod(): Problem {
  return new Problem('not_found', 'There is no such payment method.');
}

function notChargeable(message: string): Problem {
  return new Problem('validation_failed', 'The request is not valid.', { errors: [{ field: 'paymentMethod.savedMethodId', message }] });
}
