import type { GatewayDefinition } from '../gateways/contract/gateway-definition.js';
import type { Credentials, GatewayAccount } from './gateway-accounts.js';

/** An account as the API shows it: of each secret only that it is there, and its last four characters. */
export function maskedAccount(account: GatewayAccount, credentials: Credentials, definition: GatewayDefinition) {
  return {
    id: account.id, gateway: account.gateway, version: account.version, enabled: account.enabled, environment: account.environment,
    credentials: Object.fromEntries(Object.entries(credentials).map(([name, value]) => [name, definition.publicCredentials.includes(name) ? value : masked(value)])),
    fees: account.fees, settings: account.settings,
    createdAt: account.createdAt.toISOString(),
  };
}

/** Short secrets show nothing of themselves. */
function masked(secret: string): string {
  return secret.length >= 16 ? `…${secret.slice(-4)}` : '…';
}
