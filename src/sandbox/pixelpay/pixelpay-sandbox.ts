import { type Controlled } from '../emulator/control.js';
import { EmulatorServer } from '../emulator/emulator-server.js';
import { type Fault, type FaultOrder, FaultQueue } from '../emulator/fault.js';
import { isMerchant } from '../emulator/merchant.js';
import { type LoggedRequest, RequestLog } from '../emulator/request-log.js';
import { type SentWebhook, type WebhookPlan, WebhookSender } from '../emulator/webhook-sender.js';
import { type BookedPayment, type BookedRefund, Books } from './books.js';
import { PIXELPAY_ROUTES, PixelpayPersona } from './pixelpay-persona.js';
import { type PixelpaySettings, Settings } from './settings.js';
import { Unfolding } from './unfolding.js';

export interface PixelpaySandboxOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  host?: string;
  /** Where the books are kept; without it they end with the process. */
  dataDir?: string;
  nowMs?: () => number;
}

/** A running PixelPay emulator, steered from the same process. `merchant` is `test_<suffix>`, `live_<suffix>` or the bare suffix of the keys. */
export interface PixelpaySandbox {
  /** Without a trailing slash. */
  url: string;
  port: number;
  books: { payments: (merchant?: string) => BookedPayment[]; refunds: (merchant?: string) => BookedRefund[]; requests: (merchant?: string) => LoggedRequest[] };
  /** What a person does in the merchant's panel, or PixelPay by itself: no call of ours. */
  panel: {
    complete: (txnId: string) => void; fail: (txnId: string) => void; deposit: (txnId: string) => void; refund: (txnId: string, amount: number) => void;
    completeRefund: (merchant: string, refundId: string) => void; failRefund: (merchant: string, refundId: string) => void;
  };
  webhooks: { change: (merchant: string, change: Partial<WebhookPlan>) => WebhookPlan; sent: (merchant?: string) => SentWebhook[]; idle: () => Promise<void> };
  faults: { add: (order: FaultOrder) => Fault; list: () => Fault[]; clear: () => void };
  settings: { current: () => PixelpaySettings; change: (change: Partial<PixelpaySettings>) => PixelpaySettings };
  /** Empties books, journal, faults and request log, and brings the default settings back. */
  reset: () => void;
  close: () => Promise<void>;
}

/** Starts an emulator of PixelPay. Rejects when the port is taken or the books cannot be read. */
export async function startPixelpaySandbox(options: PixelpaySandboxOptions = {}): Promise<PixelpaySandbox> {
  const { port = 0, host = '127.0.0.1', dataDir, nowMs = Date.now } = options;
  const books = new Books();
  const settings = new Settings();
  const faults = new FaultQueue(PIXELPAY_ROUTES);
  const log = new RequestLog();
  const webhooks = new WebhookSender();
  const unfolding = new Unfolding(books, settings, webhooks, nowMs);
  const requests = (merchant?: string): LoggedRequest[] => log.list().filter((entry) => isMerchant(entry.merchant, merchant));
  const panel: PixelpaySandbox['panel'] = {
    complete: (txnId) => { unfolding.endPayment(txnId, 'completed'); },
    fail: (txnId) => { unfolding.endPayment(txnId, 'failed'); },
    deposit: (txnId) => { unfolding.deposit(txnId); },
    refund: (txnId, amount) => { unfolding.refundByHand(txnId, amount); },
    completeRefund: (merchant, refundId) => { unfolding.endRefund(merchant, refundId, 'completed'); },
    failRefund: (merchant, refundId) => { unfolding.endRefund(merchant, refundId, 'failed'); },
  };
  const reset = (): void => {
    unfolding.stop();
    webhooks.clear();
    books.clear();
    faults.clear();
    settings.reset();
    log.clear();
  };
  const controlled: Controlled = {
    faults, webhooks, reset,
    settings: { current: () => settings.current(), change: (change) => settings.change(change as Partial<PixelpaySettings>) },
    booksOf: (merchant) => ({ payments: books.payments(merchant), refunds: books.refunds(merchant), requests: requests(merchant) }),
    panel: { complete: (id) => { panel.complete(id); }, fail: (id) => { panel.fail(id); }, deposit: (id) => { panel.deposit(id); }, refund: (id, amount) => { panel.refund(id, amount); } },
  };
  const server = new EmulatorServer(new PixelpayPersona(books, settings, unfolding, nowMs), controlled, log);
  // The port first: whoever holds it may be writing these very books.
  const listeningPort = await server.listen(port, host);
  const close = async (): Promise<void> => {
    unfolding.stop();
    webhooks.clear();
    await server.close();
    books.close();
  };
  try {
    if (dataDir !== undefined) books.open(dataDir);
    unfolding.resume();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listeningPort}`,
    port: listeningPort,
    books: { payments: (merchant) => books.payments(merchant), refunds: (merchant) => books.refunds(merchant), requests },
    panel,
    webhooks: { change: (merchant, change) => webhooks.change(merchant, change), sent: (merchant) => webhooks.sent(merchant), idle: () => webhooks.idle() },
    faults: { add: (order) => faults.add(order), list: () => faults.list(), clear: () => { faults.clear(); } },
    settings: { current: () => settings.current(), change: (change) => settings.change(change) },
    reset,
    close,
  };
}
