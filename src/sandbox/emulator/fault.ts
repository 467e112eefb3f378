import { z } from 'zod';
import { isMerchant } from './merchant.js';

export const FAULT_KINDS = [
  'hang_before_booking', 'hang_after_booking', 'reset_before_booking', 'reset_after_booking', 'error_before_booking', 'error_after_booking',
  'rate_limited', 'truncated_body', 'cut_body', 'wrong_answer', 'slow_drip', 'delayed', 'huge_body', 'html_body', 'empty_body', 'redirect',
  'unknown_word',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

const DELAY_MS_MAX = 24 * 60 * 60 * 1000;
const FORBIDDEN_STEPS = new Set(['__proto__', 'constructor', 'prototype']);

const faultSchema = z.strictObject({
  route: z.string(),
  kind: z.enum(FAULT_KINDS),
  times: z.int().min(1).max(1_000_000).default(1),
  delayMs: z.int().min(0).max(DELAY_MS_MAX).optional(),
  merchant: z.string().min(1).optional(),
  status: z.literal([500, 502, 503, 504]).optional(),
  retryAfterSeconds: z.int().min(0).optional(),
  changes: z.record(z.string().refine((path) => !path.split('.').some((step) => FORBIDDEN_STEPS.has(step))), z.json()).optional(),
});

/**
 * A fault as a test orders it. `route` is `METHOD /path/:id` or `*`; `times` is 1 unless said; `delayMs` is 10 minutes for a hang, else 1 second;
 * `status` is of the error kinds (500 unless said); `changes` maps dotted paths of the answer to values, and holds `location` of a redirect,
 * `outcomeType` of an unknown word, and `status` and `body` of an error that is not the PSP's own failure.
 */
export type FaultOrder = z.input<typeof faultSchema>;

/** A fault that waits for its request; `times` counts down. */
export type Fault = z.output<typeof faultSchema>;

/** The faults that wait, played in the order in which they were added, each on the next request it fits. */
export class FaultQueue {
  private waiting: Fault[] = [];

  /** @param routes the routes a fault may name, besides `*` */
  constructor(private readonly routes: readonly string[]) {}

  /** Adds a fault; throws an Error that names the wrong field. */
  add(order: FaultOrder): Fault {
    const read = faultSchema.safeParse(order);
    if (!read.success) throw new InvalidOrder(z.prettifyError(read.error));
    const { route, kind, changes } = read.data;
    if (route !== '*' && !this.routes.includes(route)) throw new InvalidOrder(`route must be * or one of: ${this.routes.join(', ')}`);
    if (kind === 'redirect' && typeof changes?.['location'] !== 'string') throw new InvalidOrder('redirect needs changes.location');
    this.waiting.push(read.data);
    return { ...read.data };
  }

  /** Takes one use of the first fault that fits. */
  take(route: string | null, merchant: string | null): Fault | null {
    if (route === null) return null;
    const fault = this.waiting.find((one) => (one.route === '*' || one.route === route) && isMerchant(merchant, one.merchant));
    if (fault === undefined) return null;
    fault.times -= 1;
    if (fault.times === 0) this.waiting = this.waiting.filter((one) => one !== fault);
    return fault;
  }

  /** Those that wait; with a merchant, those that wait for it alone. */
  list(merchant?: string): Fault[] {
    return this.waiting.filter((fault) => merchant === undefined || fault.merchant === merchant).map((fault) => ({ ...fault }));
  }

  /** Withdraws all; with a merchant, those that wait for it alone. */
  clear(merchant?: string): void {
    this.waiting = merchant === undefined ? [] : this.waiting.filter((fault) => fault.merchant !== merchant);
  }
}

/** The control API was given something it does not know; the message says which field. */
export class InvalidOrder extends Error {
  override readonly name = 'InvalidOrder';
}
