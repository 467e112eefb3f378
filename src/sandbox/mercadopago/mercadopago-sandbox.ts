import { type Controlled } from '../emulator/control.js';
import { EmulatorServer } from '../emulator/emulator-server.js';
import { type Fault, type FaultOrder, FaultQueue, InvalidOrder } from '../emulator/fault.js';
import { isMerchant } from '../emulator/merchant.js';
import { type LoggedRequest, RequestLog } from '../emulator/request-log.js';
import { type SentWebhook, type WebhookPlan, WebhookSender } from '../emulator/webhook-sender.js';
import { chargebackIdOf } from './chargebacks.js';
import { Books, type StoredCard, type StoredCustomer } from './books.js';
import { type BookedPayment } from './payment.js';
import { numberOf } from './order-view.js';
import { MERCADOPAGO_ROUTES, MercadopagoPersona } from './mercadopago-persona.js';
import { type MercadopagoSettings, Settings } from './settings.js';
import { Unfolding } from './unfolding.js';

export interface MercadopagoSandboxOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  host?: string;
  /** Where the books are kept; without it they end with the process. */
  dataDir?: string;
  nowMs?: () => number;
}

/** A running MercadoPago emulator, steered from the same process. `merchant` is `mp_<suffix>` or the bare suffix of the keys. */
export interface MercadopagoSandbox {
  /** Without a trailing slash. */
  url: string;
  port: number;
  books: { payments: (merchant?: string) => BookedPayment[]; customers: (merchant?: string) => StoredCustomer[]; cards: (merchant?: string) => StoredCard[]; requests: (merchant?: string) => LoggedRequest[] };
  /** What a person does in the merchant's panel, or MercadoPago by itself: no call of ours. */
  panel: {
    approve: (id: number) => void; reject: (id: number, detail: string) => void; expire: (id: number) => void; challenge: (id: number) => void; refund: (id: number, amount: number) => void;
    chargeBack: (id: number) => void; /** Lost, or won. */ endChargeback: (id: number, end: 'settled' | 'reimbursed') => void; endRefund: (id: number, refundId: number, status: 'approved' | 'rejected') => void;
  };
  webhooks: { change: (merchant: string, change: Partial<WebhookPlan>) => WebhookPlan; sent: (merchant?: string) => SentWebhook[]; idle: () => Promise<void> };
  faults: { add: (order: FaultOrder) => Fault; list: () => Fault[]; clear: () => void };
  settings: { current: () => MercadopagoSettings; change: (change: Partial<MercadopagoSettings>) => MercadopagoSettings };
  /** Empties books, journal, faults and request log, and brings the default settings back. */
  reset: () => void;
  close: () => Promise<void>;
}

/** A payment's number, or that behind an order's id. */
const numbered = (id: string): number => numberOf(id) ?? Number(id);

/** What a person may say of the end. */
function oneOf<Word extends string>(given: string, words: readonly Word[]): Word {
  const word = words.find((each) => each === given);
  if (word === undefined) throw new InvalidOrder(`detail must be one of: ${words.join(', ')}`);
  return word;
}

/** Starts an emulator of MercadoPago. Rejects when the port is taken or the books cannot be read. */
export async function startMercadopagoSandbox(options: MercadopagoSandboxOptions = {}): Promise<MercadopagoSandbox> {
  const { port = 0, host = '127.0.0.1', dataDir, nowMs = Date.now } = options;
  const books = new Books(nowMs);
  const settings = new Settings();
  const faults = new FaultQueue(MERCADOPAGO_ROUTES);
  const log = new RequestLog();
  const webhooks = new WebhookSender();
  const unfolding = new Unfolding(books, settings, webhooks, nowMs);
  const requests = (merchant?: string): LoggedRequest[] => log.list().filter((entry) => isMerchant(entry.merchant, merchant));
  const dispute = (id: number, detail: 'in_process' | 'settled' | 'reimbursed'): void => {
    books.change(id, 'charged_back', detail);
    const payment = unfolding.paymentOf(id);
    unfolding.tell(payment, 'payment.updated');
    unfolding.tellChargeback(payment, chargebackIdOf(payment));
  };
  const panel: MercadopagoSandbox['panel'] = {
    approve: (id) => { unfolding.end(id, 'approved', 'accredited'); },
    reject: (id, detail) => { unfolding.end(id, 'rejected', detail); },
    expire: (id) => { unfolding.end(id, 'cancelled', 'expired'); },
    challenge: (id) => { unfolding.completeChallenge(id); },
    refund: (id, amount) => {
      books.addRefund(id, { id: books.nextId(), amount, status: 'approved', created_at: nowMs() });
      unfolding.settle(id);
    },
    chargeBack: (id) => { dispute(id, 'in_process'); },
    endChargeback: (id, end) => { dispute(id, end); },
    endRefund: (id, refundId, status) => { unfolding.endRefund(id, refundId, status); },
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
    settings: { current: () => settings.current(), change: (change) => settings.change(change as Partial<MercadopagoSettings>) },
    booksOf: (merchant) => ({ payments: books.payments(merchant), customers: books.customers(merchant), cards: books.cards(merchant), requests: requests(merchant) }),
    panel: {
      approve: (id) => { panel.approve(numbered(id)); }, expire: (id) => { panel.expire(numbered(id)); }, challenge: (id) => { panel.challenge(numbered(id)); }, refund: (id, amount) => { panel.refund(numbered(id), amount); },
      chargeBack: (id) => { panel.chargeBack(numbered(id)); }, reject: (id, _amount, detail) => { panel.reject(numbered(id), detail === '' ? 'cc_rejected_other_reason' : detail); },
      endChargeback: (id, _amount, detail) => { panel.endChargeback(numbered(id), oneOf(detail, ['settled', 'reimbursed'])); },
      /** Of those that are in process, all. */
      endRefund: (id, _amount, detail) => {
        const end = oneOf(detail, ['approved', 'rejected']);
        for (const refund of unfolding.paymentOf(numbered(id)).refunds.filter(({ status }) => status === 'in_process')) panel.endRefund(numbered(id), refund.id, end);
      },
    },
  };
  const address = { url: '' };
  const server = new EmulatorServer(new MercadopagoPersona(books, settings, unfolding, (id) => `${address.url}/challenge/${id}`, nowMs), controlled, log);
  // The port first: whoever holds it may be writing these very books.
  const listeningPort = await server.listen(port, host);
  address.url = `http://${host.includes(':') ? `[${host}]` : host}:${listeningPort}`;
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
    url: address.url,
    port: listeningPort,
    books: { payments: (merchant) => books.payments(merchant), customers: (merchant) => books.customers(merchant), cards: (merchant) => books.cards(merchant), requests },
    panel,
    webhooks: { change: (merchant, change) => webhooks.change(merchant, change), sent: (merchant) => webhooks.sent(merchant), idle: () => webhooks.idle() },
    faults: { add: (order) => faults.add(order), list: () => faults.list(), clear: () => { faults.clear(); } },
    settings: { current: () => settings.current(), change: (change) => settings.change(change) },
    reset,
    close,
  };
}
