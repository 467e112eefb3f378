import { z } from 'zod';
import { InvalidOrder } from '../emulator/fault.js';

/** Countries, each with its currency (mercadopago.md, "Sites"). */
export const SITES = { MPE: 'PEN', MLM: 'MXN', MLA: 'ARS', MLB: 'BRL', MLC: 'CLP', MCO: 'COP', MLU: 'UYU' } as const;
export type Site = keyof typeof SITES;

const settingsSchema = z.strictObject({
  /** By merchant; Peru unless said. */
  sites: z.record(z.string(), z.enum(Object.keys(SITES) as [Site, ...Site[]])),
  /** How long a review (CONT) and a refund that is `in_process` take, in milliseconds; null leaves them to the panel. */
  reviewAfterMs: z.int().min(0).max(3_600_000).nullable(),
  refundAfterMs: z.int().min(0).max(3_600_000).nullable(),
  /** Whether refunds are done only later. */
  refundsInProcess: z.boolean(),
  /** How long a settlement report takes, and references of payments that stand in the next day's. */
  reportAfterMs: z.int().min(0).max(3_600_000),
  settleLate: z.array(z.string()),
  lookupLagMs: z.int().min(0).max(3_600_000),
  /** How many rows a page of a search holds at most, whatever is asked for. */
  pageRowsMax: z.int().min(1).max(1_000),
  /** What a repeat under the same key with another body is answered (§2.2; of orders always 409). */
  otherBody: z.enum(['conflict', 'first_answer']),
  /** Whether parts are given back (3024 else), and whether the seller's balance covers refunds: else they are rejected. */
  partialRefunds: z.boolean(),
  coversRefunds: z.boolean(),
  /** How orders spell that they are cancelled. */
  cancelWord: z.enum(['canceled', 'cancelled']),
  /** Of webhooks: `ts` in seconds or milliseconds; the signed id as sent or in lower case; an old-style notification without signature. */
  timestamps: z.enum(['seconds', 'milliseconds']),
  idCase: z.enum(['as_sent', 'lower']),
  notifications: z.enum(['webhook', 'ipn']),
  webhookSecrets: z.record(z.string(), z.string().min(1)),
});

/** How the emulator behaves; a restart brings the defaults back. */
export type MercadopagoSettings = z.output<typeof settingsSchema>;

const DEFAULTS: MercadopagoSettings = {
  sites: {}, reviewAfterMs: 5_000, refundAfterMs: 5_000, refundsInProcess: false, reportAfterMs: 0, settleLate: [], lookupLagMs: 0, pageRowsMax: 100, otherBody: 'conflict', partialRefunds: true, coversRefunds: true, cancelWord: 'canceled', timestamps: 'milliseconds', idCase: 'as_sent', notifications: 'webhook', webhookSecrets: {},
};

/** What a test may change while the emulator runs. */
export class Settings {
  private values = DEFAULTS;

  current(): MercadopagoSettings {
    return structuredClone(this.values);
  }

  /** Changes what is named and keeps the rest; throws an Error that names the wrong field. */
  change(change: Partial<MercadopagoSettings>): MercadopagoSettings {
    const read = settingsSchema.partial().safeParse(change);
    if (!read.success) throw new InvalidOrder(z.prettifyError(read.error));
    this.values = { ...this.values, ...Object.fromEntries(Object.entries(read.data).filter(([, value]) => value !== undefined)) };
    return this.current();
  }

  reset(): void {
    this.values = DEFAULTS;
  }
}
