import type { Role } from './role.js';

/** Who asks: a tenant's key. The platform's admin key is no caller; it opens /v1/admin only. */
export type Caller = { tenantId: string; keyId: string; role: Role; locale: string };
