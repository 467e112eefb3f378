/** A key of 32 bytes with the id that its ciphertexts carry. */
export type EncryptionKey = { kid: string; key: Buffer };

const KEY_BYTES = 32;
const ENTRY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/;

/** Reads `kid:base64 of 32 bytes,…`; null when an entry is not so, or two share an id. */
export function parseEncryptionKeys(text: string): EncryptionKey[] | null {
  const keys: EncryptionKey[] = [];
  for (const entry of text.split(',')) {
    const [, kid, encoded] = ENTRY.exec(entry.trim()) ?? [];
    if (kid === undefined || encoded === undefined) return null;
    const key = Buffer.from(encoded, 'base64');
    if (key.length !== KEY_BYTES || key.toString('base64') !== encoded || keys.some((other) => other.kid === kid)) return null;
    keys.push({ kid, key });
  }
  return keys;
}
