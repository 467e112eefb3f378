import { type IncomingMessage } from 'node:http';
import { type Answer } from './exchange.js';
import { booksPage } from './books-page.js';
import { type FaultOrder, type FaultQueue, InvalidOrder } from './fault.js';
import { type WebhookPlan, type WebhookSender } from './webhook-sender.js';

/** What the control API of one emulator steers. */
export interface Controlled {
  faults: FaultQueue;
  settings: { current: () => unknown; change: (change: unknown) => unknown };
  /** Everything the emulator knows, of one merchant or of all. */
  booksOf: (merchant: string | undefined) => unknown;
  webhooks: WebhookSender;
  /** What a person does in the merchant's panel, or the PSP by itself, by its name. */
  panel: Record<string, (id: string, amount: number, detail: string) => void>;
  reset: () => void;
}

export const CONTROL_PATH = '/_control';

type Route = (controlled: Controlled, body: unknown, url: URL) => Answer;

const ROUTES: Record<string, Route> = {
  'POST /_control/faults': ({ faults }, body) => ({ status: 201, json: faults.add(body as FaultOrder) }),
  'GET /_control/faults': ({ faults }, _body, url) => ({ status: 200, json: { faults: faults.list(url.searchParams.get('merchant') ?? undefined) } }),
  'DELETE /_control/faults': ({ faults }, _body, url) => {
    faults.clear(url.searchParams.get('merchant') ?? undefined);
    return { status: 200, json: { faults: faults.list() } };
  },
  'GET /_control/settings': ({ settings }) => ({ status: 200, json: settings.current() }),
  'PUT /_control/settings': ({ settings }, body) => ({ status: 200, json: settings.change(body) }),
  'GET /_control/books': ({ booksOf }, _body, url) => ({ status: 200, json: booksOf(url.searchParams.get('merchant') ?? undefined) }),
  'PUT /_control/webhooks': ({ webhooks }, body) => {
    const { merchant, ...plan } = (body ?? {}) as { merchant?: string } & Partial<WebhookPlan>;
    if (typeof merchant !== 'string') throw new InvalidOrder('merchant must be named');
    return { status: 200, json: webhooks.change(merchant, plan) };
  },
  'GET /_control/webhooks': ({ webhooks }, _body, url) => ({ status: 200, json: { sent: webhooks.sent(url.searchParams.get('merchant') ?? undefined) } }),
  'POST /_control/panel': ({ panel }, body) => {
    const { action = '', id = '', amount = 0, detail = '' } = (body ?? {}) as { action?: string; id?: string; amount?: number; detail?: string };
    const act = Object.hasOwn(panel, action) ? panel[action] : undefined;
    if (act === undefined) throw new InvalidOrder(`action must be one of: ${Object.keys(panel).join(', ')}`);
    act(id, amount, detail);
    return { status: 200, json: { done: true } };
  },
  'GET /_control/page': (controlled) => ({ status: 200, contentType: 'text/html; charset=utf-8', text: booksPage(controlled.booksOf(undefined), controlled.webhooks.sent()) }),
  'POST /_control/reset': ({ reset }) => {
    reset();
    return { status: 200, json: { reset: true } };
  },
};

/** Answers a request to `/_control`: no key, but only from this machine. */
export function answerControl(controlled: Controlled, request: IncomingMessage, url: URL, body: Buffer): Answer {
  if (!isLoopback(request.socket.remoteAddress)) return { status: 403, json: { message: 'the control API answers this machine only' } };
  const route = ROUTES[`${request.method} ${url.pathname}`];
  if (route === undefined) return { status: 404, json: { message: `one of: ${Object.keys(ROUTES).join(', ')}` } };
  try {
    return route(controlled, body.length === 0 ? undefined : JSON.parse(body.toString()), url);
  } catch (error) {
    if (error instanceof InvalidOrder || error instanceof SyntaxError) return { status: 400, json: { message: error.message } };
    throw error;
  }
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address);
}
