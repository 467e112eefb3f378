import { createHash, timingSafeEqual } from 'node:crypto';

/** The key of those who run the service. It opens /v1/admin and nothing else. */
export class PlatformAdminKey {
  private readonly digest: Buffer;

  constructor(key: string) { this.digest = digestOf(key); }

  /** Compared by digest and in constant time, so that neither its length nor a common beginning shows. */
  matches(given: string): boolean {
    return timingSafeEqual(digestOf(given), this.digest);
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
