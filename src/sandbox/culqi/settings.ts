import { z } from 'zod';
import { InvalidOrder } from '../emulator/fault.js';

const limitSchema = z.strictObject({ min: z.int().min(1), max: z.int().min(1) });

const changeSchema = z.strictObject({
  lookupLagMs: z.int().min(0),
  tokenLifetimeMs: z.int().min(0),
  yapeTokenLifetimeMs: z.int().min(0),
  tokensStayGood: z.boolean(),
  webhookData: z.enum(['string', 'object']),
  webhookAuth: z.record(z.string(), z.string()),
  limits: z.strictObject({ PEN: limitSchema, USD: limitSchema }).partial(),
}).partial();

export type Limits = Record<'PEN' | 'USD', { min: number; max: number }>;

export interface CulqiSettings {
  /** How long a new charge stays invisible to GET and list. */
  lookupLagMs: number;
  tokenLifetimeMs: number;
  yapeTokenLifetimeMs: number;
  /** Whether a token that was charged can be charged again: not as Culqi is, but as it might be, so that nothing of Culqi's hides a second charge of ours. */
  tokensStayGood: boolean;
  /** How webhooks carry their data: as documented in a string, or as an object, which was seen too. */
  webhookData: 'string' | 'object';
  /** By merchant, `user:password` of HTTP Basic, as set in Culqi's panel. */
  webhookAuth: Record<string, string>;
  /** Smallest and largest amount, in céntimos or cents. */
  limits: Limits;
}

export type SettingsChange = z.input<typeof changeSchema>;

/** Sources disagree on the limits (culqi.md §1.6), so they can be changed; these are its defaults. */
const DEFAULTS: CulqiSettings = {
  lookupLagMs: 0,
  tokenLifetimeMs: 5 * 60 * 1000,
  yapeTokenLifetimeMs: 2 * 60 * 1000,
  tokensStayGood: false,
  webhookData: 'string',
  webhookAuth: {},
  limits: { PEN: { min: 300, max: 999_900 }, USD: { min: 100, max: 999_900 } },
};

/** What a test may change while the emulator runs; a restart brings the defaults back. */
export class Settings {
  private values = DEFAULTS;

  current(): CulqiSettings {
    return structuredClone(this.values);
  }

  /** Changes what is named and keeps the rest; throws an Error that names the wrong field. */
  change(change: SettingsChange): CulqiSettings {
    const read = changeSchema.safeParse(change);
    if (!read.success) throw new InvalidOrder(z.prettifyError(read.error));
    const { limits, ...others } = Object.fromEntries(Object.entries(read.data).filter(([, value]) => value !== undefined)) as Partial<CulqiSettings>;
    this.values = { ...this.values, ...others, limits: { ...this.values.limits, ...limits } };
    return this.current();
  }

  reset(): void {
    this.values = DEFAULTS;
  }
}
