import { z } from 'zod';
import type { GatewayDefinition } from '../gateways/contract/gateway-definition.js';
import type { Actor, AuditTrail } from '../platform/audit/audit-trail.js';
import { isDuplicate } from '../platform/database/database-errors.js';
import type { Database } from '../platform/database/database.js';
import type { Clock } from '../shared/clock.js';
import type { FeeRule } from '../shared/fees.js';
import { newId } from '../shared/id.js';
import { parseSchedule } from '../config/duration.js';
import { Problem } from '../shared/problem.js';
import { SECRET_OVERLAP_MS_MAX, storedSettings, type Credentials, type GatewayAccount, type GatewayAccounts } from './gateway-accounts.js';

export type NewGatewayAccount = { credentials: Record<string, unknown>; enabled: boolean; environment: 'sandbox' | 'production'; fees: FeeRule[]; settings: Record<string, unknown> };

/** Sets a tenant's account at a PSP. Each change is a new version; payments keep the version they were made with. */
export class GatewayAccountChanges {
  constructor(
    private readonly database: Database,
    private readonly accounts: GatewayAccounts,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** @throws Problem `validation_failed` naming the credential at fault; `gateway_not_configured` (422) when the keys contradict `environment`. */
  async put(tenantId: string, definition: GatewayDefinition, given: NewGatewayAccount, actor: Actor): Promise<GatewayAccount> {
    const credentials = checkedCredentials(definition, given);
    const settings = checkedSettings(definition, given);
    const credentialsSealed = this.accounts.seal(tenantId, credentials);
    const id = newId('gwa');
    const createdAt = this.clock.now();
    const entryId = newId('aud');
    return this.database.transaction(async (transaction) => {
      const table = transaction.forTenant(tenantId);
      const latest = await table.selectFrom('gateway_accounts').select(['id', 'version', 'settings']).where('gateway', '=', definition.code)
        .orderBy('version', 'desc').limit(1).forUpdate().executeTakeFirst();
      const version = latest?.id === id ? latest.version : (latest?.version ?? 0) + 1;
      const account = { id, tenantId, gateway: definition.code, version, environment: given.environment, enabled: given.enabled, credentialsSealed, fees: given.fees, settings, createdAt };
      // The COMMIT of an earlier run stood.
      if (latest?.id === id) return account;
      const refusal = definition.refusesSettings?.(storedSettings(latest?.settings ?? null), settings) ?? null;
      if (refusal !== null) throw new Problem('validation_failed', `The ${definition.displayName} settings cannot be changed so.`, { errors: [refusal] });
      await table.updateTable('gateway_accounts').set({ superseded_at: createdAt }).where('gateway', '=', definition.code).where('superseded_at', 'is', null).execute();
      await table.insertInto('gateway_accounts', {
        id, gateway: definition.code, version, environment: given.environment, enabled: given.enabled ? 1 : 0,
        credentials_sealed: credentialsSealed, fees: JSON.stringify(given.fees), settings: JSON.stringify(settings), created_at: createdAt, superseded_at: null,
      }).execute();
      await this.audit.append(transaction, {
        id: entryId, tenantId, createdAt, actor, action: 'gateway_account.changed', subject: id,
        detail: { gateway: definition.code, version, environment: given.environment, enabled: given.enabled },
      });
      return account;
    }).catch((error: unknown) => {
      throw isDuplicate(error) ? new Problem('operation_in_progress', 'The account is being changed by somebody else.') : error;
    });
  }
}

function checkedSettings({ settings, displayName }: GatewayDefinition, given: NewGatewayAccount): Record<string, unknown> {
  const { webhookSecretOverlap, ...own } = given.settings;
  if (webhookSecretOverlap !== undefined && !isOverlap(webhookSecretOverlap)) {
    throw new Problem('validation_failed', `The ${displayName} settings are not well formed.`, { errors: [{ field: 'settings.webhookSecretOverlap', message: 'must be a time such as 24h, at most 7d, or 0s' }] });
  }
  const parsed = (settings ?? z.strictObject({})).safeParse(own);
  if (parsed.success) return { ...parsed.data, ...(webhookSecretOverlap === undefined ? {} : { webhookSecretOverlap }) };
  throw new Problem('validation_failed', `The ${displayName} settings are not well formed.`, { errors: parsed.error.issues.map((issue) => ({ field: fieldOf('settings', issue), message: messageOf(issue) })) });
}

/** How long a webhook secret is accepted after it was changed, as the environment writes times. */
function isOverlap(given: unknown): boolean {
  if (given === '0s') return true;
  const [durationMs, ...others] = typeof given === 'string' ? parseSchedule(given) ?? [] : [];
  return durationMs !== undefined && others.length === 0 && durationMs <= SECRET_OVERLAP_MS_MAX;
}

function checkedCredentials(definition: GatewayDefinition, given: NewGatewayAccount): Credentials {
  const parsed = definition.credentials.safeParse(given.credentials);
  if (!parsed.success) {
    const errors = parsed.error.issues.map((issue) => ({ field: fieldOf('credentials', issue), message: messageOf(issue) }));
    throw new Problem('validation_failed', `The ${definition.displayName} credentials are not complete or not well formed.`, { errors });
  }
  const made = definition.environmentOf?.(parsed.data);
  if (made !== undefined && made !== given.environment) {
    throw new Problem('gateway_not_configured', `The keys are not for the ${given.environment} environment.`, {
      errors: [{ field: 'environment', message: made === 'contradictory' ? 'the keys are for different environments' : `the keys are for ${made}` }],
    });
  }
  return Object.fromEntries(Object.entries(parsed.data).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function fieldOf(member: string, issue: z.core.$ZodIssue): string {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  return [member, ...issue.path.map(String), ...unknown].join('.');
}

/** Never the value: it may be a key in the wrong place. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return 'is not known';
  return issue.input === undefined && issue.code === 'invalid_type' ? 'is required' : 'is not well formed';
}
