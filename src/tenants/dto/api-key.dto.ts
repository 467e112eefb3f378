import type { Role } from '../role.js';

/** A key as it is listed. */
export class ApiKeyDto {
  id!: string;
  name!: string;
  role!: Role;
  /** The key's last four characters. */
  hint!: string;
  createdAt!: string;
  revokedAt!: string | null;
}

/** A new key. */
export class NewApiKeyDto extends ApiKeyDto {
  /** Shown this once. */
  key!: string;
}

export class ApiKeyListDto {
  data!: ApiKeyDto[];
}
