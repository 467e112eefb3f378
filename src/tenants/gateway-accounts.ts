import type { DatabaseAccess } from '../platform/database/database.js';
import { parseSchedule } from '../config/duration.js';
import { databaseNow, databaseTimeIn } from '../platform/database/time.js';
import type { SecretBox } from '../platform/crypto/secret-box.js';
import type { FeeRule } from '../shared/fees.js';
import { storedFeeRules } from './fee-rules.js';
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
  /** What the PSP charges, where it does not report it itself. */
  fees: FeeRule[];
  /** How the PSP is to be used, as its definition reads it. */
  settings: Readonly<Record<string, unknown>>;
  createdAt: Date;
};

/** How long the secret of webhooks before the last is accepted (design/api.md). */
const SECRET_OVERLAP_MS = 24 * 60 * 60_000;
/** The longest that an account's settings may say instead, in milliseconds. */
export const SECRET_OVERLAP_MS_MAX = 7 * 24 * 60 * 60_000;
const OVERLAPPING_MAX = 5;

export type Credentials = Record<string, string>;

/** Reads accounts for those who call PSPs. */
export class GatewayAccounts {
  constructor(private readonly secretBox: SecretBox) {}

  /** The versions in force, one per gateway. */
  async current(access: DatabaseAccess, tenantId: string): Promise<GatewayAccount[]> {
    const rows = await access.forTenant(tenantId).selectFrom('gateway_accounts').selectAll().where('superseded_at', 'is', null).orderBy('gateway').execute();
    return rows.map(accountOf);
  }

  /**
   * The versions by whose credentials a webhook may be proven: the one in force, and those that were until a little while ago, so that nothing is lost
   * while a merchant changes the secret on both sides. The newest first.
   */
  async forWebhooks(access: DatabaseAccess, tenantId: string, gateway: string): Promise<GatewayAccount[]> {
    const rows = await access.forTenant(tenantId).selectFrom('gateway_accounts').selectAll().select(databaseNow().as('now')).where('gateway', '=', gateway)
      .where((row) => row.or([row('superseded_at', 'is', null), row('superseded_at', '>', databaseTimeIn(-SECRET_OVERLAP_MS_MAX))])).orderBy('version', 'desc').limit(OVERLAPPING_MAX).execute();
    const [newest] = rows;
    const sinceMs = newest === undefined ? 0 : newest.now.getTime() - overlapMsOf(accountOf(newest).settings);
    return rows.filter(({ superseded_at: end }) => end === null || end.getTime() > sinceMs).map(accountOf);
  }

  /** One version, in force or not: a payment keeps the one it was made with. */
  async version(access: DatabaseAccess, tenantId: string, id: string): Promise<GatewayAccount> {
    return accountOf(await access.forTenant(tenantId).selectFrom('gateway_accounts').selectAll().where('id', '=', id).executeTakeFirstOrThrow());
  }

  /** The newest version of each account, also of an environment that is used no more. */
  async newest(access: DatabaseAccess, tenantId: string): Promise<GatewayAccount[]> {
    const rows = await access.forTenant(tenantId).selectFrom('gateway_accounts').selectAll().orderBy('version').execute();
    return [...new Map(rows.map((row) => [`${row.gateway} ${row.environment}`, accountOf(row)])).values()];
  }

  credentialsOf(account: GatewayAccount): Credentials {
    return JSON.parse(this.secretBox.open(account.credentialsSealed, account.tenantId)) as Credentials;
  }

  seal(tenantId: string, credentials: Credentials): string {
    return this.secretBox.seal(JSON.stringify(credentials), tenantId);
  }
}

export function storedSettings(column: string | null): Record<string, unknown> {
  return column === null ? {} : JSON.parse(column) as Record<string, unknown>;
}

export function accountOf(row: GatewayAccountRow): GatewayAccount {
  return {
    id: row.id, tenantId: row.tenant_id, gateway: row.gateway, version: row.version, environment: row.environment,
    enabled: row.enabled !== 0, credentialsSealed: row.credentials_sealed, fees: storedFeeRules(row.fees), settings: storedSettings(row.settings), createdAt: row.created_at,
  };
}

/** `webhookSecretOverlap`, such as `24h`: how long what the secret was before is accepted beside what it is. */
function overlapMsOf({ webhookSecretOverlap: given }: Readonly<Record<string, unknown>>): number {
  return typeof given === 'string' ? parseSchedule(given)?.[0] ?? 0 : SECRET_OVERLAP_MS;
}
