/** What a tenant sets for itself (design/api.md, "Tenants and gateways"). */
export type Settings = {
  /** How much a key of role client refunds at once at most, in minor units of the payment's currency; null sets no limit. */
  refundLimit: number | null;
};

export function settingsOf(column: string | null): Settings {
  return { refundLimit: null, ...(column === null ? {} : JSON.parse(column) as Partial<Settings>) };
}
