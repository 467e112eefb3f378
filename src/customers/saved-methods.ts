import { Logger } from '@nestjs/common';
import { sql } from 'kysely';
import { GatewayError } from '../gateways/contract/gateway-error.js';
import { supports, type Customer, type PaymentGateway, type SavedMethodSnapshot } from '../gateways/contract/payment-gateway.js';
import type { GatewayRegistry } from '../gateways/gateway-registry.js';
import { gatewayDefinition } from '../gateways/gateways.js';
import type { SecretBox } from '../platform/crypto/secret-box.js';
import type { Database, DatabaseAccess } from '../platform/database/database.js';
import type { PageStart } from '../platform/http/pagination.js';
import { TimeWindow, type Clock } from '../shared/clock.js';
import { isId, newId } from '../shared/id.js';
import { Problem } from '../shared/problem.js';
import type { GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { Customers } from './customers.js';
import { monthsThatAre, savedMethodOf, type SavedMethod } from './saved-method.js';

/** Cards of one customer, at most: a list shows them all. */
const METHODS_MAX = 50;

/** A saved card, and what payments give as its token. */
export type ChargeableMethod = SavedMethod & { reference: string };

/** The cards that PSPs keep for customers. No money moves here: a card that was kept and then lost to a crash is one that nobody uses. */
export class SavedMethods {
  private readonly logger = new Logger(SavedMethods.name);

  constructor(
    private readonly database: Database,
    private readonly customers: Customers,
    private readonly accounts: GatewayAccounts,
    private readonly registry: GatewayRegistry,
    private readonly secretBox: SecretBox,
    private readonly clock: Clock,
    private readonly gatewayTimeoutMs: number,
  ) {}

  /**
   * Has the PSP keep the card of a single-use token. The customer's first is their default.
   * @throws Problem `not_found`, `gateway_not_configured`, `capability_missing`, `validation_failed`, `payment_method_declined`, `gateway_unavailable`
   */
  async save(tenantId: string, customerId: string, { gateway: code, token, isDefault }: { gateway: string; token: string; isDefault: boolean }): Promise<SavedMethod> {
    const customer = await this.customers.find(this.database, tenantId, customerId);
    const account = (await this.accounts.current(this.database, tenantId)).find(({ gateway, enabled }) => gateway === code && enabled);
    if (account === undefined) throw new Problem('gateway_not_configured', 'No enabled account of this gateway is configured.', { errors: [{ field: 'gateway', message: 'is not configured' }] });
    const gateway = this.open(account);
    const definition = gatewayDefinition(code);
    const { displayName } = definition;
    if (!supports(gateway, 'savePaymentMethod')) throw new Problem('capability_missing', `${displayName} keeps no cards.`, { errors: [{ field: 'gateway', message: 'keeps no cards' }] });
    if ((await this.list(tenantId, customerId)).length >= METHODS_MAX) throw new Problem('invalid_state', `A customer has at most ${METHODS_MAX} payment methods.`);
    const payer = await this.customers.complete(this.database, tenantId, { id: customer.id }) as Customer;
    const errors = definition.missingToSave?.(payer) ?? [];
    if (errors.length > 0) throw new Problem('validation_failed', `${displayName} must know more of the customer.`, { errors });

    const saved = kept(await this.ask(account, () => gateway.savePaymentMethod({ token, customer: payer })));
    return this.insert(tenantId, customer.id, account, saved, isDefault);
  }

  /** A customer's cards, the newest first. @throws Problem `not_found` */
  async ofCustomer(tenantId: string, customerId: string): Promise<SavedMethod[]> {
    await this.customers.find(this.database, tenantId, customerId);
    return this.list(tenantId, customerId);
  }

  /** Cards of all customers of a tenant, newest first, at most `limit`: those about whose end somebody should be told, for instance. */
  async search(tenantId: string, filter: { expiry?: 'valid' | 'expiring' | 'expired' | undefined; from?: Date | undefined; to?: Date | undefined }, after: PageStart | null, limit: number): Promise<SavedMethod[]> {
    let query = this.database.forTenant(tenantId).selectFrom('saved_methods').selectAll();
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
    const method = await this.find(this.database, tenantId, customerId, id);
    await this.database.transaction(async (transaction) => {
      // One of those who choose or keep a card after the other: there is never more than one default.
      await this.customers.lock(transaction, tenantId, customerId);
      const methods = transaction.forTenant(tenantId);
      await methods.updateTable('saved_methods').set({ is_default: 0 }).where('customer_id', '=', customerId).execute();
      await methods.updateTable('saved_methods').set({ is_default: 1 }).where('id', '=', id).execute();
    });
    return { ...method, isDefault: true };
  }

  /** Forgets a card, at its PSP first. @throws Problem `not_found`; `gateway_unavailable` when the PSP does not say that it has */
  async delete(tenantId: string, customerId: string, id: string): Promise<void> {
    const method = await this.find(this.database, tenantId, customerId, id);
    const account = (await this.accounts.current(this.database, tenantId)).find(({ gateway, environment }) => gateway === method.gateway && environment === method.environment);
    // Without an account there is nobody to ask, and nobody who could charge it.
    if (account !== undefined) {
      const gateway = this.open(account);
      const { reference } = this.opened(tenantId, method);
      if (supports(gateway, 'deletePaymentMethod')) await this.ask(account, () => gateway.deletePaymentMethod(reference));
    }
    await this.database.forTenant(tenantId).deleteFrom('saved_methods').where('id', '=', id).execute();
  }

  /** The card that a payment is to be made with. @throws Problem `validation_failed` unless it is one of this customer's */
  async chargeable(access: DatabaseAccess, tenantId: string, customerId: string | null, id: string): Promise<ChargeableMethod> {
    try {
      return this.opened(tenantId, await this.find(access, tenantId, customerId ?? '', id));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      throw new Problem('validation_failed', 'The request is not valid.', { errors: [{ field: 'paymentMethod.savedMethodId', message: 'names no payment method of customer.id' }] });
    }
  }

  private async find(access: DatabaseAccess, tenantId: string, customerId: string, id: string): Promise<SavedMethod> {
    const row = isId('pm', id) && isId('cus', customerId)
      ? await access.forTenant(tenantId).selectFrom('saved_methods').selectAll().where('id', '=', id).where('customer_id', '=', customerId).executeTakeFirst() : undefined;
    if (row === undefined) throw new Problem('not_found', 'There is no such payment method.');
    return savedMethodOf(row);
  }

  private async list(tenantId: string, customerId: string): Promise<SavedMethod[]> {
    const rows = await this.database.forTenant(tenantId).selectFrom('saved_methods').selectAll().where('customer_id', '=', customerId).orderBy('created_at', 'desc').orderBy('id', 'desc').limit(METHODS_MAX).execute();
    return rows.map(savedMethodOf);
  }

  private async insert(tenantId: string, customerId: string, account: GatewayAccount, { reference, card }: Kept, isDefault: boolean): Promise<SavedMethod> {
    const now = this.clock.now();
    const id = newId('pm');
    const columns = {
      id, customer_id: customerId, gateway: account.gateway, environment: account.environment, reference_sealed: this.secretBox.seal(reference, tenantId),
      brand: card.brand?.slice(0, 30) ?? null, last4: card.last4 ?? null, bin: card.bin ?? null, funding: card.funding ?? null, expiry_month: card.expiryMonth ?? null, expiry_year: card.expiryYear ?? null,
      created_at: now, updated_at: now,
    };
    return this.database.transaction(async (transaction) => {
      // An erasure that runs beside sees this card, or this sees that there is nobody to keep it for.
      await this.customers.lock(transaction, tenantId, customerId);
      const methods = transaction.forTenant(tenantId);
      // The COMMIT of an earlier run stood.
      const made = await methods.selectFrom('saved_methods').selectAll().where('id', '=', id).executeTakeFirst();
      if (made !== undefined) return savedMethodOf(made);
      const others = await methods.selectFrom('saved_methods').select('id').where('customer_id', '=', customerId).where('is_default', '=', 1).execute();
      const becomesDefault = isDefault || others.length === 0;
      if (becomesDefault && others.length > 0) await methods.updateTable('saved_methods').set({ is_default: 0 }).where('customer_id', '=', customerId).execute();
      const row = { ...columns, is_default: becomesDefault ? 1 : 0 };
      await methods.insertInto('saved_methods', row).execute();
      return savedMethodOf({ ...row, tenant_id: tenantId });
    });
  }

  private opened(tenantId: string, method: SavedMethod): ChargeableMethod {
    return { ...method, reference: this.secretBox.open(method.referenceSealed, tenantId) };
  }

  private open(account: GatewayAccount): PaymentGateway {
    return this.registry.open(account.gateway, { credentials: this.accounts.credentialsOf(account), environment: account.environment, settings: account.settings, window: TimeWindow.open(this.clock, this.gatewayTimeoutMs) });
  }

  private async ask<T>({ gateway }: GatewayAccount, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.logger.warn({ gateway, kind: error.kind, pspCode: error.pspCode, alert: error.kind === 'credentials_rejected', msg: 'the gateway did not keep or forget a payment method' });
      if (error.kind === 'request_rejected') throw new Problem('validation_failed', 'The gateway refused the token.', { errors: [{ field: 'token', message: 'was refused by the gateway' }], cause: error });
      throw new Problem('gateway_unavailable', 'The gateway did not answer.', { retryAfterSeconds: 5, cause: error });
    }
  }
}

type Kept = Extract<SavedMethodSnapshot, { status: 'saved' }>;

/** @throws Problem `payment_method_declined` */
function kept(snapshot: SavedMethodSnapshot): Kept {
  if (snapshot.status === 'saved') return snapshot;
  throw new Problem('payment_method_declined', 'The card was declined.', { errors: [{ field: 'token', message: snapshot.decline.code }], extra: { declineCode: snapshot.decline.code } });
}
