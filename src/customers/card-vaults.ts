import type { PaymentGateway } from '../gateways/contract/payment-gateway.js';
import type { GatewayRegistry } from '../gateways/gateway-registry.js';
import type { DatabaseAccess } from '../platform/database/database.js';
import { TimeWindow, type Clock } from '../shared/clock.js';
import type { GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { SavedMethodRow } from './entities/saved-method.entity.js';

/** The PSPs, as those who keep cards. */
export class CardVaults {
  constructor(private readonly accounts: GatewayAccounts, private readonly registry: GatewayRegistry, private readonly clock: Clock) {}

  /** All calls of what is opened begin and end within `withinMs` from now. */
  open(account: GatewayAccount, withinMs: number): PaymentGateway {
    return this.registry.open(account.gateway, { credentials: this.accounts.credentialsOf(account), environment: account.environment, settings: account.settings, window: TimeWindow.open(this.clock, withinMs) });
  }

  /** The account that a card was kept with; the one in force where that was not noted; null without one: then there is nobody to ask, and nobody who could charge it. */
  async keeperOf(access: DatabaseAccess, { tenant_id: tenantId, gateway_account_id: accountId, gateway, environment }: Pick<SavedMethodRow, 'tenant_id' | 'gateway_account_id' | 'gateway' | 'environment'>): Promise<GatewayAccount | null> {
    if (accountId !== null) return this.accounts.version(access, tenantId, accountId);
    return (await this.accounts.current(access, tenantId)).find((account) => account.gateway === gateway && account.environment === environment) ?? null;
  }
}
