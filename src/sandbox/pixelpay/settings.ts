import { z } from 'zod';
import { InvalidOrder } from '../emulator/fault.js';

const delay = z.int().min(0).max(3_600_000);
const settingsSchema = z.strictObject({
  /** From an accepted charge to its end, in milliseconds; null leaves it to the panel. The brief says 5 to 30 seconds. */
  completeAfterMs: delay.nullable(),
  /** The same for the card that stays pending for a while. */
  pendingForMs: delay.nullable(),
  refundAfterMs: delay.nullable(),
  /** For so long a new charge or refund stays invisible to look-ups. */
  lookupLagMs: delay,
  commissionBps: z.int().min(0).max(10_000),
  commissionFixed: z.int().min(0),
  /** By merchant, the secret of its webhooks; `whsec_<suffix of its keys>` unless said. */
  webhookSecrets: z.record(z.string(), z.string().min(1)),
});

/** How the emulator behaves; a restart brings the defaults back. */
export type PixelpaySettings = z.output<typeof settingsSchema>;

/** 1.5 % in every example of the brief. */
const DEFAULTS: PixelpaySettings = { completeAfterMs: 5_000, pendingForMs: 15_000, refundAfterMs: 5_000, lookupLagMs: 0, commissionBps: 150, commissionFixed: 0, webhookSecrets: {} };

/** What a test may change while the emulator runs. */
export class Settings {
  private values = DEFAULTS;

  current(): PixelpaySettings {
    return structuredClone(this.values);
  }

  /** Changes what is named and keeps the rest; throws an Error that names the wrong field. */
  change(change: Partial<PixelpaySettings>): PixelpaySettings {
    const read = settingsSchema.partial().safeParse(change);
    if (!read.success) throw new InvalidOrder(z.prettifyError(read.error));
    this.values = { ...this.values, ...Object.fromEntries(Object.entries(read.data).filter(([, value]) => value !== undefined)) };
    return this.current();
  }

  reset(): void {
    this.values = DEFAULTS;
  }
}
