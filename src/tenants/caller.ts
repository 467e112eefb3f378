import type { FeeRule } from '../shared/fees.js';
import type { Settings } from './tenant-settings.js';
import type { Role } from './role.js';

/** Who asks: a tenant's key. The platform's admin key is no caller; it opens /v1/admin only. */
export type Caller = { tenantId: string; keyId: string; role: Role; locale: string; /** What the tenant has set, as it stood when the request came. */ settings: Settings; referenceFees: readonly FeeRule[] };
