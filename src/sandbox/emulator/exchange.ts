import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type LoggedRequest } from './request-log.js';

/** What an emulator answers: a JSON body, or text with its own content type. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  json?: unknown;
  text?: string;
  /** JSON unless said otherwise. */
  contentType?: string;
}

const BODY_BYTES_MAX = 1024 * 1024;
/** Read on past a body that is too large, so that its sender gets to see the answer; but not for ever. */
const READ_BYTES_MAX = 16 * 1024 * 1024;

/** One request and its answer on the wire; begins every answer, so that the log tells what the client was told. */
export class Exchange {
  constructor(readonly request: IncomingMessage, readonly response: ServerResponse, private readonly logged: LoggedRequest) {
    // A client that leaves in the middle of an answer is its own affair.
    response.on('error', () => undefined);
  }

  /** Sends status and headers. Without `contentLength` the body is chunked. */
  begin(status: number, headers: Record<string, string>, contentLength?: number): void {
    this.logged.status = status;
    this.response.writeHead(status, contentLength === undefined ? headers : { ...headers, 'content-length': contentLength });
  }

  send(answer: Answer): void {
    const bytes = bodyOf(answer);
    // RFC 9110 §8.6: no content-length in a 204.
    this.begin(answer.status, headersOf(answer), answer.status === 204 ? undefined : bytes.length);
    this.response.end(bytes);
  }

  /** Runs `action` after the delay, unless the client has gone by then. */
  later(delayMs: number, action: () => void): void {
    if (this.response.destroyed) return;
    const timer = setTimeout(action, delayMs);
    this.response.once('close', () => clearTimeout(timer));
  }

  /** Runs `action` again and again until the connection closes. */
  every(delayMs: number, action: () => void): void {
    if (this.response.destroyed) return;
    const timer = setInterval(action, delayMs);
    this.response.once('close', () => clearInterval(timer));
  }
}

export function bodyOf(answer: Answer): Buffer {
  return Buffer.from(answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json)));
}

export function headersOf(answer: Answer): Record<string, string> {
  return { 'content-type': answer.contentType ?? 'application/json;charset=UTF-8', ...answer.headers };
}

/** The request's whole body; null when it is larger than 1 MB. Throws when the client leaves before the end, or sends more than is worth reading. */
export async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > READ_BYTES_MAX) throw new Error('the body does not end');
    if (sizeBytes <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  return sizeBytes <= BODY_BYTES_MAX ? Buffer.concat(chunks) : null;
}
