/**
 * Tells whether `merchant` (`test_abc123`) is the one a test asks for: by its full name, by the suffix its keys share (`abc123`, test and live
 * alike), or any if none is named.
 */
export function isMerchant(merchant: string | null, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  return merchant !== null && (merchant === wanted || merchant.slice(merchant.indexOf('_') + 1) === wanted);
}
