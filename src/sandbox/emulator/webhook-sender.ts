import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { z } from 'zod';
import { InvalidOrder } from './fault.js';
import { isMerchant } from './merchant.js';

/** What a PSP posts to a merchant. */
export interface OutgoingWebhook {
  merchant: string;
  event: string;
  headers: Record<string, string>;
  body: string;
  /** Where to, when the merchant said so with the payment; else where its webhooks go. */
  url?: string | undefined;
}

/** One delivery as it went: `status` is null for one that was lost or got no answer. */
export interface SentWebhook {
  merchant: string;
  event: string;
  at: number;
  status: number | null;
  body: string;
}

const planSchema = z.strictObject({
  url: z.url({ protocol: /^http$/ }).nullable(),
  delayMs: z.int().min(0).max(3_600_000),
  copies: z.int().min(1).max(1_000),
  order: z.enum(['kept', 'reversed', 'shuffled']),
  lost: z.int().min(0),
});

/** How a merchant's webhooks go: where to (null: nowhere), how late, how often each, in which order those of one delay, and how many are lost next. */
export type WebhookPlan = z.output<typeof planSchema>;

const NONE: WebhookPlan = { url: null, delayMs: 0, copies: 1, order: 'kept', lost: 0 };
const TRIES_MAX = 5;
const LOG_MAX = 10_000;

/** Posts an emulated PSP's webhooks, as badly as a test wants it. */
export class WebhookSender {
  private readonly plans = new Map<string, WebhookPlan>();
  private readonly queued = new Map<string, OutgoingWebhook[]>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly lastOf = new Map<string, Promise<void>>();
  private readonly underWay = new Set<Promise<void>>();
  private log: SentWebhook[] = [];
  /** Grows when everything is cleared: what was under way then goes no further. */
  private generation = 0;

  /** What is refused is sent again after `retryMs`, twice that and so on; an answer may take `deadlineMs`. */
  constructor(private readonly retryMs = 400, private readonly deadlineMs = 5_000) {}

  /** The plan of a merchant, by any of its names. */
  planOf(merchant: string): WebhookPlan {
    return this.plans.get(this.nameOf(merchant)) ?? NONE;
  }

  /** The name under which a merchant's plan is kept. */
  private nameOf(merchant: string): string {
    const names = [...this.plans.keys()];
    return names.find((name) => isMerchant(merchant, name)) ?? names.find((name) => isMerchant(name, merchant)) ?? merchant;
  }

  /** Changes what is named of a merchant's plan; throws an Error that names the wrong field. */
  change(merchant: string, change: Partial<WebhookPlan>): WebhookPlan {
    const read = planSchema.partial().safeParse(change);
    if (!read.success) throw new InvalidOrder(z.prettifyError(read.error));
    const given = Object.fromEntries(Object.entries(read.data).filter(([, value]) => value !== undefined));
    const plan = { ...this.planOf(merchant), ...given };
    this.plans.set(this.nameOf(merchant), plan);
    return plan;
  }

  /** Sends a webhook by its merchant's plan; returns at once. */
  send(webhook: OutgoingWebhook): void {
    const plan = this.planOf(webhook.merchant);
    if ((webhook.url ?? plan.url) === null) return;
    if (plan.lost > 0) {
      plan.lost -= 1;
      this.record(webhook, null);
      return;
    }
    const queue = this.queued.get(webhook.merchant) ?? [];
    queue.push(...Array.from({ length: plan.copies }, () => webhook));
    if (this.queued.has(webhook.merchant)) return;
    this.queued.set(webhook.merchant, queue);
    this.later(plan.delayMs, () => { this.flush(webhook.merchant); });
  }

  /** Resolves when nothing waits or is under way. */
  async idle(): Promise<void> {
    while (this.timers.size > 0 || this.underWay.size > 0) {
      await Promise.all(this.underWay);
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
  }

  /** What was sent, oldest first, the last ten thousand. */
  sent(merchant?: string): SentWebhook[] {
    return this.log.filter((one) => isMerchant(one.merchant, merchant)).map((one) => ({ ...one }));
  }

  clear(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.queued.clear();
    this.lastOf.clear();
    this.generation += 1;
    this.plans.clear();
    this.log = [];
  }

  private flush(merchant: string): void {
    const { order } = this.planOf(merchant);
    const webhooks = this.queued.get(merchant) ?? [];
    this.queued.delete(merchant);
    if (order === 'reversed') webhooks.reverse();
    if (order === 'shuffled') webhooks.sort(() => Math.random() - 0.5);
    // After what this merchant is being sent already: in order unless the plan says otherwise.
    const delivery = (this.lastOf.get(merchant) ?? Promise.resolve()).then(() => this.deliverInTurn(webhooks)).finally(() => this.underWay.delete(delivery));
    this.lastOf.set(merchant, delivery);
    this.underWay.add(delivery);
  }

  private async deliverInTurn(webhooks: readonly OutgoingWebhook[]): Promise<void> {
    for (const webhook of webhooks) await this.deliver(webhook, 1);
  }

  private async deliver(webhook: OutgoingWebhook, tries: number): Promise<void> {
    const url = webhook.url ?? this.planOf(webhook.merchant).url;
    if (url === null) return;
    const { generation } = this;
    const status = await post(url, webhook, this.deadlineMs);
    if (generation !== this.generation) return;
    this.record(webhook, status);
    if (status !== null && status >= 200 && status < 300) return;
    if (tries < TRIES_MAX) this.later(this.retryMs * 2 ** (tries - 1), () => {
      const delivery = this.deliver(webhook, tries + 1).finally(() => this.underWay.delete(delivery));
      this.underWay.add(delivery);
    });
  }

  private later(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      action();
    }, delayMs);
    timer.unref();
    this.timers.add(timer);
  }

  private record({ merchant, event, body }: OutgoingWebhook, status: number | null): void {
    this.log.push({ merchant, event, at: Date.now(), status, body });
    if (this.log.length > LOG_MAX) this.log.shift();
  }
}

/** The status of the answer; null when none came in time, or the address cannot be posted to. */
function post(url: string, { headers, body }: OutgoingWebhook, deadlineMs: number): Promise<number | null> {
  const request = { 'http:': requestPlain, 'https:': requestSecure }[new URL(url).protocol];
  if (request === undefined) return Promise.resolve(null);
  return new Promise((resolve) => {
    const bytes = Buffer.from(body);
    const sent = request(url, { method: 'POST', signal: AbortSignal.timeout(deadlineMs), headers: { 'content-type': 'application/json', ...headers, 'content-length': bytes.length } });
    sent.on('response', (answer) => {
      answer.resume();
      answer.on('end', () => { resolve(answer.statusCode ?? null); }).on('error', () => { resolve(null); });
    });
    sent.on('error', () => { resolve(null); });
    sent.end(bytes);
  });
}
