import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { isNativeError } from 'node:util/types';
import { answerControl, CONTROL_PATH, type Controlled } from './control.js';
import { type Answer, Exchange, readBody } from './exchange.js';
import { playFault } from './fault-delivery.js';
import { type LoggedRequest, type RequestLog } from './request-log.js';

/** One request as a persona sees it: read to the end, not yet trusted. */
export interface Call {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** How one PSP behaves. */
export interface Persona {
  /** The route a fault may name (`GET /v2/charges/:id`), or null for none of ours. */
  routeOf: (method: string, path: string) => string | null;
  /** Who calls, by the key alone, which may stand in the body; null if it is not well formed. */
  merchantOf: (headers: IncomingMessage['headers'], body: Buffer) => string | null;
  answer: (call: Call) => Answer;
  failure: (status: 500 | 502 | 503 | 504, path: string) => Answer;
  tooMany: () => Answer;
  tooLarge: () => Answer;
}

const KEEP_ALIVE_MS = 60_000;

/** The listener of one emulated PSP: its routes, the faults played on them, and the control API. */
export class EmulatorServer {
  private readonly server: Server;

  constructor(private readonly persona: Persona, private readonly controlled: Controlled, private readonly log: RequestLog) {
    this.server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => void this.handle(request, response));
  }

  /** Starts to listen and tells the port; rejects when the port is taken. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  /** Stops at once: open connections are destroyed. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? '';
    const url = URL.parse(`http://sandbox${request.url}`) ?? new URL('http://sandbox/unreadable');
    const path = url.pathname;
    const isControl = path.startsWith(CONTROL_PATH);
    const entry: LoggedRequest = { at: Date.now(), method, path, query: url.search.slice(1), merchant: null, status: null, fault: null };
    const exchange = new Exchange(request, response, isControl ? entry : this.log.add(entry));
    try {
      const body = await readBody(request);
      if (body === null) return exchange.send(this.persona.tooLarge());
      if (isControl) return exchange.send(answerControl(this.controlled, request, url, body));
      const merchant = this.persona.merchantOf(request.headers, body);
      entry.merchant = merchant;
      const fault = this.controlled.faults.take(this.persona.routeOf(method, path), merchant);
      const book = (): Answer => this.persona.answer({ method, url, headers: request.headers, body });
      if (fault === null) return exchange.send(book());
      entry.fault = fault.kind;
      playFault({ exchange, fault, book, failure: (status) => this.persona.failure(status, path), tooMany: this.persona.tooMany });
    } catch (error) {
      if (!request.complete) return;
      // The type alone: a message could quote the request.
      console.error(`sandbox: ${method} ${path} failed: ${isNativeError(error) ? error.name : 'unknown'}`);
      if (!response.headersSent) exchange.send(this.persona.failure(500, path));
    }
  }
}
