import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export type EncryptionKey = { kid: string; key: Buffer };

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Envelope encryption at rest: AES-256-GCM (NIST SP 800-38D) under the first key; each sealed text names its key, and opens only for the
 * owner it was sealed for (additional data), so that a row copied to another tenant is worthless.
 */
export class SecretBox {
  constructor(private readonly keys: readonly EncryptionKey[]) {
    if (keys.length === 0) throw new RangeError('at least one encryption key is needed');
  }

  /** How everything begins that is sealed from now on. */
  get prefix(): string {
    return `v1.${this.keys[0]!.kid}.`;
  }

  /** Seals `plaintext` for `owner` (a tenant id): `v1.<kid>.<base64url of iv, ciphertext and tag>`. */
  seal(plaintext: string, owner: string): string {
    const { kid, key } = this.keys[0]!;
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(`${kid}\n${owner}`));
    const sealed = Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${this.prefix}${sealed.toString('base64url')}`;
  }

  /** Opens what was sealed for `owner`. @throws Error when the key is unknown, the owner another, or a bit was changed. */
  open(sealedText: string, owner: string): string {
    const [version, kid, payload] = sealedText.split('.');
    const key = this.keys.find((candidate) => candidate.kid === kid)?.key;
    if (version !== 'v1' || key === undefined || payload === undefined) throw new Error(`sealed with a key that is not in ENCRYPTION_KEYS`);
    const sealed = Buffer.from(payload, 'base64url');
    if (sealed.length < IV_BYTES + TAG_BYTES) throw new Error('sealed text is cut short');
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(`${kid}\n${owner}`))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  }
}
