import type { SealedColumn } from './platform/crypto/reseal.js';

/** Every column that SecretBox seals: what `npm run keys:rotate` goes through. A test compares this list with the schema. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: 'gateway_accounts', column: 'credentials_sealed' },
  { table: 'payments', column: 'tokens_sealed' },
  { table: 'saved_methods', column: 'reference_sealed' },
];
