import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { TimeWindow } from '../../shared/clock.js';
import { GatewayError } from './gateway-error.js';
import type { HttpAnswer, HttpRequest, SendHttp } from './payment-gateway.js';

/** Longest answer that is read, in bytes. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/** Idle connections are closed before the PSP closes them, so that a request never meets a dying one (trap T19). PSPs' load balancers wait 5 s or more. */
const IDLE_MS_MAX = 4_000;
const CONNECTIONS_MAX = 256;

/** The way out to PSPs: keep-alive connections, one deadline over everything, bounded answers, no redirects, no retries. */
export type HttpTransport = { send: SendHttp; close(): void };

/**
 * Opens the transport. A request's first byte goes out only on a connection that stands and within its window; whatever goes wrong before that is
 * `not_contacted`, whatever goes wrong after it is `outcome_unknown`.
 */
export function createHttpTransport(): HttpTransport {
  const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX, maxFreeSockets: 32, timeout: IDLE_MS_MAX, scheduling: 'lifo' as const };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  return {
    send: async (request, window) => {
      const exchange = new Exchange(request, window, agents);
      try {
        return await exchange.run();
      } catch (error) {
        // Not a byte went out, and the PSP is not away: another connection will do.
        if (!exchange.metDyingConnection() || !window.isOpen()) throw error;
        return new Exchange(request, window, null).run();
      }
    },
    close: () => {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** One request and its answer. */
class Exchange {
  private bytesWentOut = false;
  private isReused = false;

  /** Without `agents` over a connection of its own. */
  constructor(private readonly request: HttpRequest, private readonly window: TimeWindow, private readonly agents: { http: HttpAgent; https: HttpsAgent } | null) {}

  /** Whether it failed because a connection that was kept had been closed by the PSP. */
  metDyingConnection(): boolean {
    return this.isReused && !this.bytesWentOut;
  }

  run(): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = this.prepare();
      let settled = false;
      const settle = (how: () => void): void => {
        if (settled) return;
        settled = true;
        clearTimeout(deadline);
        how();
      };
      // Once settled, the socket may already serve another request: it is not touched any more.
      const fail = (reason: string, cause?: unknown): void => { settle(() => {
        outgoing.destroy();
        reject(new GatewayError(this.bytesWentOut ? 'outcome_unknown' : 'not_contacted', reason, { cause }));
      }); };
      // The total deadline: a PSP that answers a byte a second does not keep us (row A10).
      const deadline = setTimeout(() => { fail('the deadline passed'); }, this.window.remainingMs());

      outgoing.on('error', (error) => { fail('the connection failed', error); });
      outgoing.on('close', () => { fail('the connection closed'); });
      outgoing.on('socket', (socket) => { this.whenConnected(socket, () => { this.write(outgoing, fail); }); });
      outgoing.on('response', (incoming) => {
        read(incoming, (answer) => { settle(() => { resolve(answer); }); }, fail);
      });
    });
  }

  private prepare(): ClientRequest {
    const { url, method, headers, body } = this.request;
    const secure = url.protocol === 'https:';
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const options = { method, headers: { ...headers, 'accept-encoding': 'identity', ...length }, agent: this.agents === null ? false : secure ? this.agents.https : this.agents.http };
    return secure ? httpsRequest(url, options) : httpRequest(url, options);
  }

  private whenConnected(socket: Socket, write: () => void): void {
    this.isReused = !socket.connecting;
    // A connection that was kept is read from once more before it is written to: what the PSP closed right after its last answer shows by then (trap T19).
    if (this.isReused) setImmediate(() => { setImmediate(() => { if (!socket.destroyed) write(); }); });
    else socket.once(this.request.url.protocol === 'https:' ? 'secureConnect' : 'connect', write);
  }

  private write(outgoing: ClientRequest, fail: (reason: string) => void): void {
    if (!this.window.isOpen()) {
      fail('the window for the call is over');
      return;
    }
    // Node sends headers with the first write, so this is the first byte.
    this.bytesWentOut = true;
    outgoing.end(this.request.body);
  }
}

function read(incoming: IncomingMessage, done: (answer: HttpAnswer) => void, fail: (reason: string, cause?: unknown) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) fail('the answer is too large');
    else chunks.push(chunk);
  });
  incoming.on('error', (error) => { fail('the answer broke off', error); });
  incoming.on('end', () => {
    if (!incoming.complete) fail('the answer broke off');
    else done({ status: incoming.statusCode ?? 0, headers: singleHeaders(incoming), body: Buffer.concat(chunks).toString('utf8') });
  });
}

function singleHeaders(incoming: IncomingMessage): Record<string, string> {
  const entries = Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value ?? '']);
  return Object.fromEntries(entries) as Record<string, string>;
}
