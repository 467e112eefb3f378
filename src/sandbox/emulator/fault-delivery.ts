import { type Answer, bodyOf, type Exchange, headersOf } from './exchange.js';
import { type Fault, type FaultKind } from './fault.js';

const HANG_MS = 10 * 60 * 1000;
const DELAY_MS = 1000;
const HUGE_BYTES = 5 * 1024 * 1024;

/** What a fault needs of the PSP it is played on. */
export interface Played {
  exchange: Exchange;
  fault: Fault;
  /** Does what the request asks, so books it, and says what the PSP would truthfully answer. Called at most once. */
  book: () => Answer;
  /** The PSP's own words for a failure of its own, by status. */
  failure: (status: 500 | 502 | 503 | 504) => Answer;
  /** The PSP's own words for too many requests. */
  tooMany: () => Answer;
}

/** Plays a fault. All kinds but the `…_before_booking`, `rate_limited` and `redirect` book first. */
export function playFault(played: Played): void {
  PLAYS[played.fault.kind](played);
}

const PLAYS: Record<FaultKind, (played: Played) => void> = {
  hang_before_booking: (played) => hang(played),
  hang_after_booking: (played) => booked(played, () => hang(played)),
  reset_before_booking: (played) => reset(played),
  reset_after_booking: (played) => booked(played, () => reset(played)),
  error_before_booking: (played) => fail(played),
  error_after_booking: (played) => booked(played, () => fail(played)),
  rate_limited: ({ exchange, fault, tooMany }) => {
    const answer = tooMany();
    const headers = fault.retryAfterSeconds === undefined ? answer.headers : { ...answer.headers, 'retry-after': String(fault.retryAfterSeconds) };
    exchange.send({ ...answer, headers });
  },
  truncated_body: (played) => booked(played, (answer) => {
    const half = halfOf(answer);
    played.exchange.begin(answer.status, headersOf(answer), half.length);
    played.exchange.response.end(half);
  }),
  cut_body: (played) => booked(played, (answer) => {
    const { exchange } = played;
    exchange.begin(answer.status, headersOf(answer), bodyOf(answer).length);
    exchange.response.write(halfOf(answer), () => exchange.response.destroy());
  }),
  wrong_answer: (played) => booked(played, (answer) => played.exchange.send(changed(answer, played.fault.changes ?? {}))),
  unknown_word: (played) => booked(played, (answer) => {
    played.exchange.send(changed(answer, { 'outcome.type': played.fault.changes?.['outcomeType'] ?? 'palabra_desconocida' }));
  }),
  slow_drip: (played) => booked(played, (answer) => drip(played, answer)),
  delayed: (played) => booked(played, (answer) => played.exchange.later(played.fault.delayMs ?? DELAY_MS, () => played.exchange.send(answer))),
  huge_body: (played) => booked(played, (answer) => {
    const body = bodyOf({ ...answer, json: { ...(answer.json as object), padding: 'x'.repeat(HUGE_BYTES) } });
    // Chunked: a client that only trusts content-length must count for itself.
    played.exchange.begin(answer.status, headersOf(answer));
    played.exchange.response.end(body);
  }),
  html_body: (played) => booked(played, ({ headers }) => {
    played.exchange.send({ status: 200, headers, contentType: 'text/html', text: '<html><body><h1>Estamos en mantenimiento</h1></body></html>' });
  }),
  empty_body: (played) => booked(played, ({ status, headers }) => played.exchange.send({ status, headers, text: '' })),
  redirect: ({ exchange, fault }) => exchange.send({ status: 302, headers: { location: fault.changes?.['location'] as string }, text: '' }),
};

function booked(played: Played, then: (answer: Answer) => void): void {
  then(played.book());
}

function hang({ exchange, fault }: Played): void {
  exchange.later(fault.delayMs ?? HANG_MS, () => exchange.response.destroy());
}

function reset({ exchange }: Played): void {
  exchange.request.socket.resetAndDestroy();
}

function fail({ exchange, fault, failure }: Played): void {
  const { status, body } = fault.changes ?? {};
  exchange.send(typeof status === 'number' && body !== undefined ? { status, json: body } : failure(fault.status ?? 500));
}

function halfOf(answer: Answer): Buffer {
  const bytes = bodyOf(answer);
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}

function drip({ exchange, fault }: Played, answer: Answer): void {
  const bytes = bodyOf(answer);
  exchange.begin(answer.status, headersOf(answer), bytes.length);
  exchange.response.flushHeaders();
  let sent = 0;
  exchange.every(fault.delayMs ?? DELAY_MS, () => {
    if (exchange.response.writableEnded) return;
    exchange.response.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent >= bytes.length) exchange.response.end();
  });
}

/** The answer with `changes` (dotted path → value) applied; in a list, to each of its items. */
function changed(answer: Answer, changes: Record<string, unknown>): Answer {
  const json = structuredClone(answer.json);
  const list = isObject(json) ? json['data'] ?? json['results'] : json;
  const items: unknown[] = Array.isArray(list) ? list : [json];
  for (const item of items) {
    if (isObject(item)) for (const [path, value] of Object.entries(changes)) setAt(item, path.split('.'), value);
  }
  return { ...answer, json };
}

function setAt(target: Record<string, unknown>, [step, ...rest]: string[], value: unknown): void {
  if (step === undefined) return;
  if (rest.length === 0) {
    target[step] = value;
    return;
  }
  const next = target[step];
  const branch = isObject(next) ? next : {};
  target[step] = branch;
  setAt(branch, rest, value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
