/** What PixelPay keeps, in minor units, rounded half up: 4900 → 74, 12900 → 194 at 1.5 % (pixelpay.md §2.1). */
export function commissionOf(amount: number, { commissionBps, commissionFixed }: { commissionBps: number; commissionFixed: number }): number {
  return Number((BigInt(amount) * BigInt(commissionBps) + 5_000n) / 10_000n) + commissionFixed;
}

/** An amount in major units, as PixelPay writes it: a JSON number that reads back as the very decimal. All its currencies have two places. */
export function major(minor: number): number {
  const digits = String(Math.abs(minor)).padStart(3, '0');
  return Number(`${minor < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`);
}
