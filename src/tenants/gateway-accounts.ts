import type { DatabaseAccess } from '../platform/database/database.js';
import type { SecretBox } from '../platform/crypto/secret-box.js';
import type { GatewayAccountRow } from './entities/gateway-account.entity.js';

/** A version of a tenant's account at a PSP. */
export type GatewayAccount = {
  id: string;
  tenantId: string;
  gateway: string;
  version: number;
  environment: 'sandbox' | 'production';
  enabled: boolean;
  credentialsSealed: string;
  createdAt: Date;
};

export type Credentials = Record<string, string>;

/** Reads accounts for those who call PSPs. */
export class GatewayAccounts {
  constructor(private readonly secretBox: SecretBox) {}

  /** The versions in force, one per gateway. */
  async current(access: DatabaseAccess, tenantId: string): Promise<GatewayAccount[]> {
    const rows = await access.forTenant(tenantId).selectFrom('gateway_accounts').selectAll().where('superseded_at', 'is', null).orderBy('gateway').execute();
    return rows.map(accountOf);
  }

  /** One version, in force or not: a payment keeps the one it was made with. */
  async version(access: DatabaseAccess, tenantId: string, id: string): Promise<GatewayAccount> {
    return accountOf(await access.forTenant(tenantId).selectFrom('gateway_accounts').selectAll().where('id', '=', id).executeTakeFirstOrThrow());
  }

  credentialsOf(account: GatewayAccount): Credentials {
    return JSON.parse(this.secretBox.open(account.credentialsSealed, account.tenantId)) as Credentials;
  }

  seal(tenantId: string, credentials: Credentials): string {
    return this.secretBox.seal(JSON.stringify(credentials), tenantId);
  }
}

export function accountOf(row: GatewayAccountRow): GatewayAccount {
  return {
    id: row.id, tenantId: row.tenant_id, gateway: row.gateway, version: row.version, environment: row.environment,
    enabled: row.enabled !== 0, credentialsSealed: row.credentials_sealed, createdAt: row.created_at,
  };
}
