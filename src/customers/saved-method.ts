import type { CardFacts } from '../gateways/contract/payment-gateway.js';
import type { SavedMethodRow } from './entities/saved-method.entity.js';

/** A card that a PSP keeps for a customer. What payments give for it is sealed, and shown to nobody. */
export type SavedMethod = {
  id: string; customerId: string; gateway: string; environment: 'sandbox' | 'production'; referenceSealed: string | null; isDefault: boolean;
  card: Pick<CardFacts, 'brand' | 'last4' | 'bin' | 'funding'>; expiryMonth: number | null; expiryYear: number | null; createdAt: Date;
};

export function savedMethodOf(row: SavedMethodRow): SavedMethod {
  const { brand, last4, bin, funding } = row;
  return {
    id: row.id, customerId: row.customer_id, gateway: row.gateway, environment: row.environment, referenceSealed: row.reference_sealed, isDefault: row.is_default !== 0,
    card: { ...(brand === null ? {} : { brand }), ...(last4 === null ? {} : { last4 }), ...(bin === null ? {} : { bin }), ...(funding === null ? {} : { funding }) },
    expiryMonth: row.expiry_month, expiryYear: row.expiry_year, createdAt: row.created_at,
  };
}

/** Whether its card can be charged still, as far as its date tells: to the end of the month that stands on it. */
export function expiryOf({ expiryMonth, expiryYear }: SavedMethod, now: Date): 'valid' | 'expiring' | 'expired' | null {
  if (expiryMonth === null || expiryYear === null) return null;
  // Months are counted from 0 here: this is the first day after the card's month.
  const endsAtMs = Date.UTC(expiryYear, expiryMonth, 1);
  if (now.getTime() >= endsAtMs) return 'expired';
  return endsAtMs - now.getTime() <= EXPIRING_MS ? 'expiring' : 'valid';
}

/** So long before its end a card is called `expiring`. */
const EXPIRING_MS = 45 * 24 * 60 * 60_000;

/** Months since the year 0, in UTC. */
const monthOf = (at: Date): number => at.getUTCFullYear() * 12 + at.getUTCMonth();

/** The months that stand on cards of which {@link expiryOf} says so: from the first up to, not including, the second. */
export function monthsThatAre(expiry: 'valid' | 'expiring' | 'expired', now: Date): { from: number; until: number } {
  const [current, ending] = [monthOf(now), monthOf(new Date(now.getTime() + EXPIRING_MS))];
  return { expired: { from: 0, until: current }, expiring: { from: current, until: ending }, valid: { from: ending, until: Number.MAX_SAFE_INTEGER } }[expiry];
}
