import { type Controlled } from '../emulator/control.js';
import { EmulatorServer } from '../emulator/emulator-server.js';
import { type Fault, type FaultOrder, FaultQueue, InvalidOrder } from '../emulator/fault.js';
import { isMerchant } from '../emulator/merchant.js';
import { type LoggedRequest, RequestLog } from '../emulator/request-log.js';
import { type SentWebhook, type WebhookPlan, WebhookSender } from '../emulator/webhook-sender.js';
import { type BookedCharge, type BookedRefund, Books, type StoredCard, type StoredCustomer } from './books.js';
import { CULQI_ROUTES, CulqiPersona } from './culqi-persona.js';
import { type ThreeDsOutcome, threeDsOutcome } from './three-ds.js';
import { type CulqiSettings, Settings, type SettingsChange } from './settings.js';

export interface CulqiSandboxOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  host?: string;
  /** Where the books are kept; without it they end with the process. */
  dataDir?: string;
  /** Milliseconds since 1970, for token life, expiry dates and look-up lag. */
  nowMs?: () => number;
}

/** A running Culqi emulator, steered from the same process. `merchant` is `test_<suffix>`, `live_<suffix>` or the bare suffix of the keys. */
export interface CulqiSandbox {
  /** Without a trailing slash: `http://127.0.0.1:4010`. */
  url: string;
  port: number;
  books: {
    charges: (merchant?: string) => BookedCharge[];
    refunds: (merchant?: string) => BookedRefund[];
    customers: (merchant?: string) => StoredCustomer[];
    cards: (merchant?: string) => StoredCard[];
    tokenCount: (merchant?: string) => number;
    requests: (merchant?: string) => LoggedRequest[];
  };
  /** What a person does in the merchant's panel, or Culqi by itself: no call of ours. */
  panel: { capture: (chargeId: string) => void; refund: (chargeId: string, amount: number) => void; expire: (chargeId: string) => void; /** No documented event tells of it. */ dispute: (chargeId: string) => void };
  webhooks: { change: (merchant: string, change: Partial<WebhookPlan>) => WebhookPlan; sent: (merchant?: string) => SentWebhook[]; idle: () => Promise<void> };
  /** What Culqi's script in the payer's browser brings after REVIEW: the parameters, or an error where the authentication fails. */
  authenticate: (tokenId: string) => ThreeDsOutcome;
  faults: { add: (order: FaultOrder) => Fault; list: () => Fault[]; clear: () => void };
  settings: { current: () => CulqiSettings; change: (change: SettingsChange) => CulqiSettings };
  /** Empties books, journal, faults and request log, and brings the default settings back. */
  reset: () => void;
  /** Destroys open connections; the books stay on disk. */
  close: () => Promise<void>;
}

/** Starts an emulator of both of Culqi's hosts on one port. Rejects when the port is taken or the books cannot be read. */
export async function startCulqiSandbox(options: CulqiSandboxOptions = {}): Promise<CulqiSandbox> {
  const { port = 0, host = '127.0.0.1', dataDir, nowMs = Date.now } = options;
  const books = new Books();
  const settings = new Settings();
  const faults = new FaultQueue(CULQI_ROUTES);
  const log = new RequestLog();
  const requests = (merchant?: string): LoggedRequest[] => log.list().filter((entry) => isMerchant(entry.merchant, merchant));
  const webhooks = new WebhookSender();
  const persona = new CulqiPersona(books, settings, webhooks, nowMs);
  const charged = (chargeId: string): BookedCharge => {
    const charge = books.charges().find(({ id }) => id === chargeId);
    if (charge === undefined) throw new InvalidOrder(`the books have no charge ${chargeId}`);
    return charge;
  };
  const panel: CulqiSandbox['panel'] = {
    capture: (chargeId) => { persona.captureNow(charged(chargeId).merchant, books.charge(charged(chargeId).merchant, chargeId) ?? charged(chargeId)); },
    refund: (chargeId, amount) => { const { merchant } = charged(chargeId); persona.refundNow(merchant, merchant.startsWith('live_') ? 'live' : 'test', { amount, chargeId, reason: 'solicitud_comprador' }); },
    expire: (chargeId) => { persona.expireNow(charged(chargeId).merchant, books.charge(charged(chargeId).merchant, chargeId) ?? charged(chargeId)); },
    dispute: (chargeId) => { books.addDispute(charged(chargeId).merchant, chargeId); },
  };
  const reset = (): void => {
    webhooks.clear();
    books.clear();
    faults.clear();
    settings.reset();
    log.clear();
  };
  const controlled: Controlled = {
    faults,
    settings: { current: () => settings.current(), change: (change) => settings.change(change as SettingsChange) },
    booksOf: (merchant) => ({ tokens: books.tokenCount(merchant), charges: books.charges(merchant), refunds: books.refunds(merchant), customers: books.customers(merchant), cards: books.cards(merchant), requests: requests(merchant) }),
    webhooks,
    panel: { capture: (id) => { panel.capture(id); }, refund: (id, amount) => { panel.refund(id, amount); }, expire: (id) => { panel.expire(id); }, dispute: (id) => { panel.dispute(id); } },
    reset,
  };
  const server = new EmulatorServer(persona, controlled, log);
  // The port first: whoever holds it may be writing these very books.
  const listeningPort = await server.listen(port, host);
  const close = async (): Promise<void> => {
    webhooks.clear();
    await server.close();
    books.close();
  };
  try {
    if (dataDir !== undefined) books.open(dataDir);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listeningPort}`,
    port: listeningPort,
    books: { charges: (merchant) => books.charges(merchant), refunds: (merchant) => books.refunds(merchant), customers: (merchant) => books.customers(merchant), cards: (merchant) => books.cards(merchant), tokenCount: (merchant) => books.tokenCount(merchant), requests },
    panel,
    webhooks: { change: (merchant, change) => webhooks.change(merchant, change), sent: (merchant) => webhooks.sent(merchant), idle: () => webhooks.idle() },
    authenticate: (tokenId) => threeDsOutcome(books.behaviourOf(tokenId)),
    faults: { add: (order) => faults.add(order), list: () => faults.list(), clear: () => faults.clear() },
    settings: { current: () => settings.current(), change: (change) => settings.change(change) },
    reset,
    close,
  };
}
