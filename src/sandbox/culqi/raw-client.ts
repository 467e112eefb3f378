import { request } from 'node:http';

/** What a bare HTTP client saw: the answer as far as it came, and how the connection failed, if it did. */
export interface Seen {
  /** Null when no answer began. */
  status: number | null;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
  /** The body as JSON; undefined when it is not. */
  json: unknown;
  /** Error code (`ECONNRESET`), or `cut` when the connection ended before the body did. */
  failure: string | null;
}

export interface Sent {
  method: string;
  path: string;
  key?: string;
  /** JSON, or a string sent as it is. */
  body?: unknown;
  /** After so long the client leaves, with the failure `client_gave_up`. */
  timeoutMs?: number;
}

/** Sends one request on its own connection and never throws: for the specs of the emulator, which look at what a fault does to the wire. */
export function sendRaw(url: string, { method, path, key, body, timeoutMs = 5_000 }: Sent): Promise<Seen> {
  return new Promise((resolve) => {
    const seen: Seen = { status: null, headers: {}, text: '', json: undefined, failure: null };
    const finish = (failure: string | null): void => {
      clearTimeout(timer);
      resolve({ ...seen, json: parsed(seen.text), failure });
    };
    const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const headers = {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
    };
    const call = request(`${url}${path}`, { method, agent: false, headers }, (response) => {
      seen.status = response.statusCode ?? null;
      seen.headers = response.headers;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        seen.text += chunk;
      });
      response.on('error', () => finish('cut'));
      response.on('end', () => finish(null));
    });
    const timer = setTimeout(() => {
      finish('client_gave_up');
      call.destroy();
    }, timeoutMs);
    call.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? 'unknown'));
    call.end(bytes);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
