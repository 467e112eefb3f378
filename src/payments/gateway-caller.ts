import { Logger } from '@nestjs/common';
import { GatewayError } from '../gateways/contract/gateway-error.js';
import {
  supports, type AttemptReference, type CaptureOrder, type OperationOrder, type OptionalVerb, type PaymentGateway, type PaymentOrder, type PaymentSnapshot, type RefundOrder, type RefundReference, type RefundSnapshot,
} from '../gateways/contract/payment-gateway.js';
import type { GatewayRegistry } from '../gateways/gateway-registry.js';
import { TimeWindow, type Clock } from '../shared/clock.js';
import { Gathered } from '../shared/gathered.js';
import type { Credentials, GatewayAccount, GatewayAccounts } from '../tenants/gateway-accounts.js';
import type { Answered, Observed } from './observed.js';
import type { Failure } from './failure.js';
import type { Attempt } from './payment.js';

/** One call that changes something at a PSP. */
export type PspCall = { operation: 'authorize'; order: PaymentOrder } | { operation: 'capture'; order: CaptureOrder } | { operation: 'void'; order: OperationOrder }
  | { operation: 'refund'; order: RefundOrder };

/** What a call brought: the observation, how long it took, and the PSP's answer without secrets. */
export type CallResult = { observed: Observed; latencyMs: number; answer: string | undefined };

/** What a look-up brought. `absent` is what the PSP says; whether it proves anything is decided elsewhere. */
export type LookUpResult =
  | { kind: 'snapshot'; snapshot: PaymentSnapshot; answer: string | undefined } | { kind: 'refund'; refund: RefundSnapshot; answer: string | undefined }
  | { kind: 'absent' } | { kind: 'no_answer'; detail: string; /** How long the PSP asks to be left alone. */ retryAfterMs?: number };

/** What is asked about: a payment by what the PSP or we call it, or a refund. */
export type Question = { attempt: Attempt; /** What the PSP calls the payment, where that was learnt elsewhere. */ reference?: string | undefined; refund?: RefundReference | undefined };

/** Longest answer of a PSP that is kept, in characters. */
const ANSWER_LENGTH_MAX = 64_000;

/** So long a search for a lost payment waits for others that the same listing shows; their number; and how far apart they may have been sent. */
const GATHERED = { gatherMs: 50, max: 50, spanMs: 10 * 60_000 };

type Found = PaymentSnapshot | null | GatewayError;

/** Calls PSPs and never throws: trouble becomes an observation. Never inside a transaction. */
export class GatewayCaller {
  private readonly logger = new Logger(GatewayCaller.name);
  private readonly searches = new Gathered<AttemptReference, Found>(GATHERED);

  constructor(private readonly registry: GatewayRegistry, private readonly accounts: GatewayAccounts, private readonly clock: Clock) {}

  /** Whether the PSP of this account has a verb. */
  supports(account: GatewayAccount, verb: OptionalVerb): boolean {
    return supports(this.open(account, TimeWindow.open(this.clock, 0), []), verb);
  }

  /** Asks the PSP to do what `call` says, at most once, beginning and ending within `window`. */
  async make(account: GatewayAccount, call: PspCall, window: TimeWindow): Promise<CallResult> {
    const startedMs = this.clock.monotonicMs();
    const secrets = call.operation === 'authorize' ? [call.order.method.token, ...(call.order.authentication === undefined ? [] : [call.order.authentication.cavv])] : [];
    try {
      const observed = await performOn(this.open(account, window, secrets), call);
      const { raw } = observed.kind === 'refund' ? observed.refund : observed.snapshot;
      return { observed, latencyMs: this.clock.monotonicMs() - startedMs, answer: withoutSecrets(raw, secrets) };
    } catch (error) {
      return { observed: this.observedFrom(error, account), latencyMs: this.clock.monotonicMs() - startedMs, answer: undefined };
    }
  }

  /** Asks the PSP what became of an attempt, within `withinMs`. */
  async lookUp(account: GatewayAccount, question: Question, withinMs: number): Promise<LookUpResult> {
    const secrets: string[] = [];
    try {
      const gateway = this.open(account, TimeWindow.open(this.clock, withinMs), secrets);
      if (question.refund !== undefined) {
        const refund = await askRefund(gateway, question.refund);
        return refund === null ? { kind: 'absent' } : { kind: 'refund', refund, answer: withoutSecrets(refund.raw, secrets) };
      }
      const snapshot = await this.askPayment(gateway, account, question);
      return snapshot === null ? { kind: 'absent' } : { kind: 'snapshot', snapshot, answer: withoutSecrets(snapshot.raw, secrets) };
    } catch (error) {
      this.report(error, account, 'a gateway did not answer a look-up');
      return { kind: 'no_answer', detail: error instanceof GatewayError ? error.kind : 'the look-up failed', ...(error instanceof GatewayError && error.retryAfterMs !== undefined ? { retryAfterMs: error.retryAfterMs } : {}) };
    }
  }

  /** What a person must know of: keys that are not accepted, and faults of our own. */
  private report(error: unknown, { gateway }: GatewayAccount, msg: string): void {
    if (!(error instanceof GatewayError)) this.logger.error({ err: error, gateway, alert: true, msg: 'a gateway adapter failed' });
    else if (error.kind === 'credentials_rejected') this.logger.error({ gateway, kind: error.kind, pspCode: error.pspCode, alert: true, msg });
  }

  /** By the PSP's own id; else by ours, together with others of the account that are searched for just now. */
  private async askPayment(gateway: PaymentGateway, account: GatewayAccount, { attempt, reference = attempt.gatewayReference ?? undefined }: Question): Promise<PaymentSnapshot | null> {
    if (reference !== undefined) return gateway.fetchPayment(reference);
    const lost = { attemptId: attempt.id, amount: attempt.amount, sentAt: attempt.sentAt, deadlineAt: attempt.deadlineAt };
    if (supports(gateway, 'findPayments')) {
      const key = [account.id, attempt.amount.currency, Math.floor(attempt.sentAt.getTime() / GATHERED.spanMs)].join(' ');
      const found = await this.searches.ask(key, lost, (attempts) => gateway.findPayments(attempts));
      if (found instanceof GatewayError) throw found;
      return found;
    }
    if (supports(gateway, 'findPayment')) return gateway.findPayment(lost);
    throw new GatewayError('outcome_unknown', 'the gateway cannot look up by our reference');
  }

  /** Asks the PSP how it sees what it calls `reference`; null when it knows none, or does not answer. */
  async fetch(account: GatewayAccount, reference: string, withinMs: number): Promise<PaymentSnapshot | null | 'no_answer'> {
    try {
      return await this.open(account, TimeWindow.open(this.clock, withinMs), []).fetchPayment(reference);
    } catch (error) {
      this.report(error, account, 'a gateway did not answer a look-up');
      return error instanceof GatewayError && ['payment_not_found', 'request_rejected'].includes(error.kind) ? null : 'no_answer';
    }
  }

  /** Asks the PSP for its payments of a range of time. */
  async list(account: GatewayAccount, range: { from: Date; to: Date }, withinMs: number): Promise<PaymentSnapshot[] | 'too_many' | 'no_answer'> {
    try {
      const gateway = this.open(account, TimeWindow.open(this.clock, withinMs), []);
      return supports(gateway, 'listPayments') ? await gateway.listPayments(range) ?? 'too_many' : [];
    } catch (error) {
      this.report(error, account, 'a gateway did not list its payments');
      return 'no_answer';
    }
  }

  private open(account: GatewayAccount, window: TimeWindow, secrets: string[]): PaymentGateway {
    const credentials = this.credentialsOf(account);
    secrets.push(...Object.values(credentials));
    return this.registry.open(account.gateway, { credentials, environment: account.environment, settings: account.settings, window });
  }

  /** Nothing was asked of the PSP yet: what cannot be opened is surely not done. */
  private credentialsOf(account: GatewayAccount): Credentials {
    try {
      return this.accounts.credentialsOf(account);
    } catch (cause) {
      throw new GatewayError('credentials_rejected', 'the credentials of the account cannot be opened', { cause });
    }
  }

  private observedFrom(error: unknown, account: GatewayAccount): Observed {
    if (error instanceof GatewayError && !error.moneyMayHaveMoved) {
      this.logger.warn({ gateway: account.gateway, kind: error.kind, pspCode: error.pspCode, alert: error.kind === 'credentials_rejected', msg: 'the gateway did not take the payment' });
      return { kind: 'not_done', failure: failureOf(error), ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }) };
    }
    // Whatever else went wrong, bytes may have gone out: unknown, never failed.
    if (!(error instanceof GatewayError)) this.logger.error({ err: error, gateway: account.gateway, alert: true, msg: 'a gateway adapter failed' });
    return { kind: 'unknown', detail: error instanceof GatewayError ? error.message : 'the adapter failed' };
  }
}

async function askRefund(gateway: PaymentGateway, refund: RefundReference): Promise<RefundSnapshot | null> {
  if (supports(gateway, 'findRefund')) return gateway.findRefund(refund);
  throw new GatewayError('outcome_unknown', 'the gateway cannot look up refunds');
}

async function performOn(gateway: PaymentGateway, call: PspCall): Promise<Answered> {
  if (call.operation === 'authorize') return { kind: 'snapshot', snapshot: await gateway.createPayment(call.order) };
  if (call.operation === 'refund') {
    if (supports(gateway, 'refundPayment')) return { kind: 'refund', refund: await gateway.refundPayment(call.order) };
    throw new GatewayError('not_contacted', 'the gateway cannot refund');
  }
  return { kind: 'snapshot', snapshot: await operateOn(gateway, call) };
}

async function operateOn(gateway: PaymentGateway, call: Extract<PspCall, { operation: 'capture' | 'void' }>): Promise<PaymentSnapshot> {
  try {
    if (call.operation === 'capture' && supports(gateway, 'capturePayment')) return await gateway.capturePayment(call.order);
    if (call.operation === 'void' && supports(gateway, 'voidPayment')) return await gateway.voidPayment(call.order);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.kind !== 'request_rejected') throw error;
    return whyRefused(gateway, call.order.reference, error);
  }
  throw new GatewayError('not_contacted', `the gateway cannot ${call.operation}`);
}

/** A PSP that refuses to capture or to release has mostly done one of them before: then that is the answer. */
async function whyRefused(gateway: PaymentGateway, reference: string, refusal: GatewayError): Promise<PaymentSnapshot> {
  const snapshot = await gateway.fetchPayment(reference).catch(() => null);
  if (snapshot === null || snapshot.status === 'authorized' || snapshot.status === 'requires_action') throw refusal;
  return snapshot;
}

function failureOf(error: GatewayError): Failure {
  const pspCode = error.pspCode ?? null;
  switch (error.kind) {
    case 'credentials_rejected': return { code: 'gateway_misconfigured', pspCode, message: 'The gateway does not accept the credentials of the account.', retryable: false };
    case 'request_rejected': {
      const field = error.field === undefined ? '' : ` (${error.field})`;
      const reason = error.reason === undefined ? '' : `: ${error.reason}`;
      return { code: 'processing_error', pspCode, message: `The gateway refused the request${field}${reason}.`, retryable: false };
    }
    case 'rate_limited': return { code: 'gateway_unavailable', pspCode, message: 'The gateway takes no more requests for now.', retryable: true };
    case 'not_contacted':
    case 'payment_not_found':
    case 'webhook_rejected':
    case 'outcome_unknown': return { code: 'gateway_unavailable', pspCode, message: 'The gateway could not be reached.', retryable: true };
  }
}

/** The answer as JSON text, each secret that went into the call taken out wherever the PSP repeats it. */
function withoutSecrets(raw: unknown, secrets: readonly string[]): string | undefined {
  let text = JSON.stringify(raw ?? null);
  for (const secret of secrets) text = text.replaceAll(JSON.stringify(secret).slice(1, -1), '[secret]');
  return text.length > ANSWER_LENGTH_MAX ? undefined : text;
}
