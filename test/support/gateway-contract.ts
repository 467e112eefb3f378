import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GatewayDefinition } from '../../src/gateways/contract/gateway-definition.js';
import { GatewayError, type GatewayErrorKind } from '../../src/gateways/contract/gateway-error.js';
import {
  supports, type DeclineCode, type OptionalVerb, type PaymentGateway, type PaymentOrder, type WebhookDelivery,
} from '../../src/gateways/contract/payment-gateway.js';
import { systemClock, TimeWindow } from '../../src/shared/clock.js';
import { isCurrency, type Currency } from '../../src/shared/currency.js';
import { newId } from '../../src/shared/id.js';
import { money } from '../../src/shared/money.js';
import { httpStub, rawStub, recorder, UNKNOWN_ANSWERS, type Stub } from './wire.js';

type Credentials = Record<string, string | undefined>;

/** A PSP's emulator, and what a test needs of it. */
export type World = {
  /** Where it listens, by the names of the definition's `hosts`. */
  hosts: Record<string, URL>;
  /** A merchant whose payments are in this currency, where an account has one. */
  newMerchant: (currency: Currency) => Credentials;
  /** A token whose charge ends so. */
  token: (credentials: Credentials, outcome: 'approved' | DeclineCode) => Promise<string>;
  /** Changes the answers to one verb from now on; `changes`: dotted path → value. */
  alter: (verb: 'createPayment' | 'fetchPayment', changes: Record<string, unknown>) => void;
  /** Brings to its end what the PSP only accepted so far. */
  settle: () => Promise<void> | void;
  /** A webhook about this payment, as the PSP sends it. */
  webhook?: (credentials: Credentials, reference: string) => WebhookDelivery;
  reset: () => void;
  close: () => Promise<void>;
};

/** What is particular about a PSP; everything else is the contract's. */
export type ContractSubject = {
  definition: GatewayDefinition;
  start: () => Promise<World>;
  /** Refusals that its test data can bring about, each with the PSP's own word. */
  declines: readonly (readonly [code: DeclineCode, pspCode: string])[];
  /** A reference of its form that names nothing. */
  unknownReference: string;
  /** Members of its answers, by what they tell: what an altered answer is made of. */
  members: { amount: string; currency: string; ourReference: string; status: string };
  /** How the account wants the PSP to be used. */
  settings?: Record<string, unknown>;
  /** What the PSP must be told beside of every card. */
  options?: Record<string, unknown>;
  /** Secrets in a merchant's credentials that its requests carry. */
  secretOf: (credentials: Credentials) => string;
};

/** The longest a call of the stubs takes. */
const WINDOW_MS = 400;

/** The contract of gateways (gateways/contract/payment-gateway.ts) as tests. Every adapter runs them unchanged. */
export function describeGatewayContract(subject: ContractSubject): void {
  const { definition } = subject;
  const currency = Object.keys(definition.profile.limits).find(isCurrency) as Currency;
  const wire = recorder();
  let world: World;
  beforeAll(async () => { world = await subject.start(); });
  afterAll(async () => {
    wire.close();
    await world.close();
  });

  const open = (credentials: Credentials, hosts = world.hosts, withinMs = 5_000): PaymentGateway =>
    definition.create({ credentials, environment: 'sandbox', settings: subject.settings ?? {}, hosts, send: wire.send, window: TimeWindow.open(systemClock, withinMs), now: () => new Date() });
  const at = (url: URL): Record<string, URL> => Object.fromEntries(Object.keys(definition.hosts).map((name) => [name, url]));
  const orderOf = (token: string, changes: Partial<PaymentOrder> = {}): PaymentOrder => ({
    attemptId: newId('att'), paymentId: newId('pay'), amount: money(12_900n, currency), capture: 'automatic', method: { type: 'card', token, installments: 1, ...(subject.options === undefined ? {} : { options: subject.options }) }, description: 'Plan básico', customer: { email: 'ana@ejemplo.pe' }, ...changes,
  });
  const has = (verb: OptionalVerb): boolean => supports(open({ ...blank(definition) }, at(new URL('http://127.0.0.1:9'))), verb);
  const attemptOf = ({ attemptId, amount }: PaymentOrder) => ({ attemptId, amount, sentAt: new Date(), deadlineAt: new Date() });
  /** A payment that the PSP has ended well. */
  async function captured(changes: Partial<PaymentOrder> = {}) {
    const credentials = world.newMerchant(changes.amount?.currency ?? currency);
    const order = orderOf(await world.token(credentials, 'approved'), changes);
    const first = await open(credentials).createPayment(order);
    if (first.reference === null) throw new Error(`the payment is ${first.status} and has no reference`);
    await world.settle();
    return { credentials, order, first, reference: first.reference, snapshot: await open(credentials).fetchPayment(first.reference) };
  }

  describe('createPayment', () => {
    it('takes the money, at once or when the PSP says so later, and shows what it took and for whom', async () => {
      const { order, first, snapshot } = await captured();
      expect(['captured', 'pending']).toContain(first.status);
      expect(snapshot).toMatchObject({ status: 'captured', ourReference: order.attemptId, amount: order.amount, captured: order.amount, refunded: money(0n, currency), reference: first.reference });
      if (snapshot.fee !== undefined && snapshot.net !== undefined) expect(snapshot.fee.amountMinor + snapshot.net.amountMinor).toBe(order.amount.amountMinor);
    });

    it('takes the least and the most of each currency, to the unit', async () => {
      for (const [each, limits] of Object.entries(definition.profile.limits)) {
        for (const minor of [limits.minMinor, limits.maxMinor]) {
          const { snapshot } = await captured({ amount: money(minor, each) });
          expect(snapshot.captured).toEqual(money(minor, each));
        }
      }
    });

    it.each(subject.declines)('that is refused as %s is a value, not trouble', async (code, pspCode) => {
      const credentials = world.newMerchant(currency);
      const order = orderOf(await world.token(credentials, code));
      const snapshot = await open(credentials).createPayment(order);
      expect(snapshot).toMatchObject({ status: 'declined', captured: null, decline: { code, pspCode } });
      expect(JSON.stringify(snapshot, withBigInt)).not.toContain(subject.secretOf(credentials));
    });

    it('never says the token, the key or the whole card number back', async () => {
      const { credentials, order, first, snapshot } = await captured();
      const said = JSON.stringify([{ ...first, raw: null }, { ...snapshot, raw: null }], withBigInt);
      for (const secret of [subject.secretOf(credentials), order.method.token, '4111111111111111']) expect(said).not.toContain(secret);
      expect(JSON.stringify([first.raw, snapshot.raw])).not.toContain(subject.secretOf(credentials));
    });

    it('sends names and descriptions of any script whole', async () => {
      const stub = await httpStub((response) => response.writeHead(500).end());
      const name = 'Ñandú 😀 O\'Higgins';
      const order = orderOf('tok_0123456789', { description: name, customer: { email: 'ana@ejemplo.pe', firstName: name, lastName: name } });
      await kindOf(open({ ...blank(definition) }, at(stub.url), WINDOW_MS).createPayment(order));
      await stub.close();
      expect(stub.seen).toHaveLength(1);
      expect(JSON.stringify(JSON.parse(stub.seen[0]?.body ?? ''))).toContain(JSON.stringify(name).slice(1, -1));
    });

    it('goes out with our attempt id', async () => {
      const { order } = await captured();
      expect(wire.requests.filter(({ method, body }) => method === 'POST' && body?.includes(order.attemptId) === true)).toHaveLength(1);
    });
  });

  describe('an answer that is not what was asked is handed on as it is', () => {
    it.each([['amount', 12_901], ['currency', currency === 'USD' ? 'EUR' : 'USD'], ['ourReference', 'att_somebody_elses'], ['ourReference', null]] as const)('another %s', async (what, value) => {
      const { credentials, order, reference } = await captured();
      world.alter('fetchPayment', { [subject.members[what]]: value });
      const snapshot = await open(credentials).fetchPayment(reference);
      world.reset();
      // Whoever compares it with the order must see that it differs.
      expect([snapshot.ourReference === order.attemptId, snapshot.amount?.amountMinor === order.amount.amountMinor && snapshot.amount.currency === order.amount.currency]).not.toEqual([true, true]);
    });

    it('an unknown word waits, and carries that word', async () => {
      const { credentials, reference } = await captured();
      world.alter('fetchPayment', { [subject.members.status]: 'in_mediation' });
      const snapshot = await open(credentials).fetchPayment(reference);
      world.reset();
      expect(snapshot).toMatchObject({ status: 'pending', unmapped: 'in_mediation', captured: null });
    });
  });

  if (has('savePaymentMethod')) describe('savePaymentMethod', () => {
    const customer = { email: 'ana@ejemplo.pe', firstName: 'Ana', lastName: 'Rojas', phone: '+51999000111', country: 'PE', address: { line1: 'Avenida 1', city: 'Lima' } };
    const saving = (gateway: PaymentGateway) => {
      if (!supports(gateway, 'savePaymentMethod') || !supports(gateway, 'deletePaymentMethod')) throw new Error('what is kept must be forgettable');
      return gateway;
    };
    async function kept() {
      const credentials = world.newMerchant(currency);
      const saved = await saving(open(credentials)).savePaymentMethod({ token: await world.token(credentials, 'approved'), customer });
      if (saved.status !== 'saved') throw new Error('the card was declined');
      return { credentials, saved };
    }

    it('keeps a card, of which two payments are made, each with its own attempt id', async () => {
      const { credentials, saved } = await kept();
      const { options: _options, ...method } = orderOf(saved.reference).method;
      for (let i = 0; i < 2; i++) {
        const order = orderOf(saved.reference, { method: { ...method, isSaved: true }, customer });
        expect(definition.missingFields(order)).toEqual([]);
        const { reference } = await open(credentials).createPayment(order);
        await world.settle();
        expect(await open(credentials).fetchPayment(reference ?? '')).toMatchObject({ status: 'captured', ourReference: order.attemptId, amount: order.amount });
      }
    });

    it('keeps several cards of one customer', async () => {
      const { credentials, saved } = await kept();
      const other = await saving(open(credentials)).savePaymentMethod({ token: await world.token(credentials, 'approved'), customer });
      expect(other).toMatchObject({ status: 'saved' });
      expect(other).not.toMatchObject({ reference: saved.reference });
    });

    it('forgets a card, also one that is forgotten already, and another merchant\'s never', async () => {
      const { credentials, saved } = await kept();
      await saving(open(world.newMerchant(currency))).deletePaymentMethod(saved.reference).catch(() => undefined);
      const order = orderOf(saved.reference, { method: { type: 'card', token: saved.reference, installments: 1, isSaved: true }, customer });
      expect(['captured', 'pending']).toContain((await open(credentials).createPayment(order)).status);
      for (let i = 0; i < 2; i++) await saving(open(credentials)).deletePaymentMethod(saved.reference);
    });

    if (has('forgetCustomer')) it('forgets a customer with all cards, also one who is forgotten already, and nobody else', async () => {
      const { credentials, saved } = await kept();
      const forgetting = (gateway: PaymentGateway) => {
        if (!supports(gateway, 'forgetCustomer')) throw new Error('forgetCustomer went away');
        return gateway;
      };
      const isKept = async ({ reference }: typeof saved) => {
        const { status } = await open(credentials).createPayment(orderOf(reference, { method: { type: 'card', token: reference, installments: 1, isSaved: true }, customer })).catch(() => ({ status: 'refused' }));
        return status === 'captured';
      };
      const second = await saving(open(credentials)).savePaymentMethod({ token: await world.token(credentials, 'approved'), customer });
      const other = await saving(open(credentials)).savePaymentMethod({ token: await world.token(credentials, 'approved'), customer: { ...customer, email: 'otra@ejemplo.pe' } });
      if (second.status !== 'saved' || other.status !== 'saved') throw new Error('a card was declined');
      await forgetting(open(world.newMerchant(currency))).forgetCustomer(customer);
      expect(await isKept(saved)).toBe(true);
      for (let i = 0; i < 2; i++) await forgetting(open(credentials)).forgetCustomer({ email: customer.email });
      expect([await isKept(saved), await isKept(second), await isKept(other)]).toEqual([false, false, true]);
      const again = await saving(open(credentials)).savePaymentMethod({ token: await world.token(credentials, 'approved'), customer });
      expect(again).toMatchObject({ status: 'saved' });
      const stub = await httpStub((response) => response.writeHead(500).end());
      expect(await kindOf(forgetting(open({ ...blank(definition) }, at(stub.url), WINDOW_MS)).forgetCustomer(customer))).toBe('outcome_unknown');
      await stub.close();
    });

    it('knows nothing of a reference of another form', async () => {
      const gateway = saving(open(world.newMerchant(currency)));
      expect([undefined, 'request_rejected']).toContain(await gateway.deletePaymentMethod('../../v1/x?y=z').then(() => undefined, (error: unknown) => (error as GatewayError).kind));
    });
  });

  describe('looking up', () => {
    it('what the PSP does not know is payment_not_found, and a strange reference never becomes part of an address', async () => {
      const gateway = open(world.newMerchant(currency));
      expect(await kindOf(gateway.fetchPayment(subject.unknownReference))).toBe('payment_not_found');
      const before = wire.requests.length;
      for (const strange of ['../refunds', '', 'a/b', 'á', '%2e%2e', 'x'.repeat(300)]) expect(await kindOf(Promise.resolve().then(() => gateway.fetchPayment(strange)))).toBe('request_rejected');
      expect(wire.requests).toHaveLength(before);
    });

    it('by our attempt id finds the payment, and nothing for an attempt that never arrived', async () => {
      if (!has('findPayment')) return;
      const { credentials, order, reference } = await captured();
      const gateway = open(credentials);
      if (!supports(gateway, 'findPayment')) throw new Error('findPayment went away');
      expect(await gateway.findPayment(attemptOf(order))).toMatchObject({ status: 'captured', reference });
      expect(await gateway.findPayment({ ...attemptOf(order), attemptId: newId('att') })).toBeNull();
    });
  });

  it('finds several at once, each with its own answer', async () => {
    if (!has('findPayments')) return;
    const { credentials, order, reference } = await captured();
    const second = orderOf(await world.token(credentials, 'approved'));
    const gateway = open(credentials);
    const { reference: secondReference } = await gateway.createPayment(second);
    if (!supports(gateway, 'findPayments')) throw new Error('findPayments went away');
    const before = wire.requests.length;
    const found = await gateway.findPayments([attemptOf(second), { ...attemptOf(order), attemptId: newId('att') }, attemptOf(order)]);
    expect(found).toMatchObject([{ reference: secondReference, ourReference: second.attemptId }, null, { reference, ourReference: order.attemptId }]);
    expect(wire.requests).toHaveLength(before + 1);
  });

  it('lists the payments of a time that carry our references, and none of others', async () => {
    if (!has('listPayments')) return;
    const { credentials, order, reference } = await captured();
    const gateway = open(credentials);
    if (!supports(gateway, 'listPayments')) throw new Error('listPayments went away');
    const [from, to] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)];
    expect(await gateway.listPayments({ from, to })).toMatchObject([{ reference, ourReference: order.attemptId, status: 'captured' }]);
    expect(await gateway.listPayments({ from: new Date(Date.now() - 120_000), to: from })).toEqual([]);
    const stub = await httpStub((response) => response.writeHead(500).end());
    const silent = open({ ...blank(definition) }, at(stub.url), WINDOW_MS);
    expect(supports(silent, 'listPayments') ? await kindOf(silent.listPayments({ from, to })) : null).toBe('outcome_unknown');
    await stub.close();
  });

  describe('the operations that it has', () => {
    const reserved = async () => {
      const credentials = world.newMerchant(currency);
      const order = orderOf(await world.token(credentials, 'approved'), { capture: 'manual' });
      const { reference, status } = await open(credentials).createPayment(order);
      expect(status).toBe('authorized');
      return { credentials, order, operation: { attemptId: newId('att'), paymentId: order.paymentId, reference: reference ?? '', amount: order.amount } };
    };

    it('capture takes reserved money', async () => {
      if (!has('capturePayment')) return;
      const { credentials, order, operation } = await reserved();
      const gateway = open(credentials);
      if (supports(gateway, 'capturePayment')) expect(await gateway.capturePayment({ ...operation, authorized: order.amount })).toMatchObject({ status: 'captured', captured: order.amount });
    });

    it('void releases it', async () => {
      if (!has('voidPayment')) return;
      const { credentials, operation } = await reserved();
      const gateway = open(credentials);
      if (supports(gateway, 'voidPayment')) expect(await gateway.voidPayment(operation)).toMatchObject({ status: 'voided' });
    });

    it('refund gives a part back and then the rest, each found again, and never more than there was', async () => {
      if (!has('refundPayment')) return;
      const { credentials, order, reference } = await captured();
      const gateway = open(credentials);
      if (!supports(gateway, 'refundPayment')) throw new Error('refundPayment went away');
      const refundOf = (minor: bigint) => ({ attemptId: newId('att'), paymentId: order.paymentId, reference, amount: money(minor, currency), reason: 'requested_by_customer' as const });
      const known: { reference: string; minor: bigint }[] = [];
      for (const minor of [2_900n, 10_000n]) {
        const refund = refundOf(minor);
        const told = await gateway.refundPayment(refund);
        expect(['succeeded', 'pending']).toContain(told.status);
        await world.settle();
        if (has('findRefund') && supports(gateway, 'findRefund')) {
          const refundedBefore = money(known.reduce((sum, one) => sum + one.minor, 0n), currency);
          const question = { ...refund, sentAt: new Date(), deadlineAt: new Date(), refundedBefore, otherReferences: known.map((one) => one.reference) };
          const found = await gateway.findRefund(question);
          expect(found).toMatchObject({ status: 'succeeded', amount: refund.amount });
          known.push({ reference: found?.reference ?? '', minor });
        }
        expect((await open(credentials).fetchPayment(reference)).refunded).toEqual(money(minor === 2_900n ? 2_900n : 12_900n, currency));
      }
      const tooMuch = await gateway.refundPayment(refundOf(1n)).then(({ status }) => status, (error: unknown) => (error as GatewayError).kind);
      expect(['failed', 'request_rejected']).toContain(tooMuch);
    });

    it('findRefund finds none that was never asked for', async () => {
      if (!has('findRefund')) return;
      const { credentials, order, reference } = await captured();
      const gateway = open(credentials);
      if (!supports(gateway, 'findRefund')) throw new Error('findRefund went away');
      expect(await gateway.findRefund({
        attemptId: newId('att'), paymentId: order.paymentId, reference, amount: money(100n, currency), sentAt: new Date(), deadlineAt: new Date(), refundedBefore: money(0n, currency), otherReferences: [],
      })).toBeNull();
    });

    it('readWebhook tells which payment it is about, and takes nothing for an event that is none', async () => {
      if (!has('readWebhook') || world.webhook === undefined) return;
      const credentials = world.newMerchant(currency);
      const gateway = open(credentials);
      if (!supports(gateway, 'readWebhook')) throw new Error('readWebhook went away');
      const delivery = world.webhook(credentials, subject.unknownReference);
      expect(gateway.readWebhook(delivery)).toMatchObject({ reference: subject.unknownReference });
      const kinds: string[] = [];
      for (const body of ['', 'null', '[]', '{}', '{"event":1}', '\u0000', '{"__proto__":{}}']) {
        try {
          gateway.readWebhook({ ...delivery, body: Buffer.from(body) });
          kinds.push('accepted');
        } catch (error) {
          kinds.push(error instanceof GatewayError ? error.kind : 'failed');
        }
      }
      expect(kinds.filter((kind) => !['webhook_rejected', 'request_rejected'].includes(kind))).toEqual([]);
    });
  });

  describe('trouble', () => {
    /** Every verb that moves money, on a reference of the PSP's form. */
    const moves = (): [verb: string, call: (gateway: PaymentGateway) => Promise<unknown>][] => {
      const operation = { attemptId: newId('att'), paymentId: newId('pay'), reference: subject.unknownReference, amount: money(12_900n, currency) };
      return [
        ['createPayment', (gateway) => gateway.createPayment(orderOf('tok_0123456789'))],
        ['capturePayment', (gateway) => (supports(gateway, 'capturePayment') ? gateway.capturePayment({ ...operation, authorized: operation.amount }) : skipped())],
        ['voidPayment', (gateway) => (supports(gateway, 'voidPayment') ? gateway.voidPayment(operation) : skipped())],
        ['refundPayment', (gateway) => (supports(gateway, 'refundPayment') ? gateway.refundPayment({ ...operation, reason: 'duplicate' }) : skipped())],
      ];
    };
    async function kindsAt(start: () => Promise<Stub>): Promise<{ verb: string; kind: GatewayErrorKind | 'answered' | 'failed' | 'skipped'; movesSent: number }[]> {
      const told = [];
      for (const [verb, call] of moves()) {
        const stub = await start();
        const kind = await kindOf(call(open({ ...blank(definition) }, at(stub.url), WINDOW_MS)));
        told.push({ verb, kind, movesSent: stub.seen.filter(({ method }) => method !== 'GET').length });
        await stub.close();
      }
      return told.filter(({ kind }) => kind !== 'skipped');
    }

    it.each(UNKNOWN_ANSWERS)('when %s, the outcome is unknown once a request to move money went out, and it went out once', async (_what, start) => {
      for (const { verb, kind, movesSent } of await kindsAt(start)) {
        expect({ verb, movesSent: movesSent <= 1, kind }).toEqual({ verb, movesSent: true, kind: movesSent === 0 ? expect.stringMatching(/^(not_contacted|outcome_unknown)$/) : 'outcome_unknown' });
      }
    });

    it('when nobody listens, it was surely not contacted', async () => {
      const stub = await rawStub(() => undefined);
      await stub.close();
      for (const [verb, call] of moves()) expect([verb, await kindOf(call(open({ ...blank(definition) }, at(stub.url), WINDOW_MS)))]).toEqual([verb, expect.stringMatching(/^(not_contacted|skipped)$/)]);
    });

    it('when its keys are refused, or it is asked too often, surely nothing happened', async () => {
      for (const [status, wanted] of [[401, 'credentials_rejected'], [429, 'rate_limited']] as const) {
        const told = await kindsAt(() => httpStub((response) => response.writeHead(status, { 'content-type': 'application/json' }).end('{"message":"no"}')));
        expect(told.map(({ kind }) => kind)).toEqual(told.map(() => wanted));
      }
    });

    it('when it is sent elsewhere, nobody goes there (A22)', async () => {
      const elsewhere = await httpStub((response) => response.end('{}'));
      const told = await kindsAt(() => httpStub((response) => response.writeHead(302, { location: elsewhere.url.href }).end()));
      await elsewhere.close();
      expect(elsewhere.seen).toEqual([]);
      expect(told.filter(({ kind, movesSent }) => kind !== 'outcome_unknown' && !(movesSent === 0 && kind === 'not_contacted'))).toEqual([]);
    });
  });

  it('tenants that call at the same time never share a key', async () => {
    const merchants = Array.from({ length: 5 }, () => world.newMerchant(currency));
    const before = wire.requests.length;
    const orders = await Promise.all(merchants.flatMap((credentials) => Array.from({ length: 10 }, async () => ({ credentials, order: orderOf(await world.token(credentials, 'approved')) }))));
    await Promise.all(orders.map(({ credentials, order }) => open(credentials).createPayment(order)));
    const secrets = merchants.map((credentials) => subject.secretOf(credentials));
    const mixed = wire.requests.slice(before).filter(({ url, headers, body = '' }) => {
      const text = `${url.href} ${JSON.stringify(headers)} ${body}`;
      const owner = orders.find(({ order }) => body.includes(order.attemptId));
      return owner === undefined || secrets.filter((secret) => text.includes(secret)).join() !== subject.secretOf(owner.credentials);
    });
    expect(mixed.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([]);
    expect(wire.requests.length - before).toBe(50);
  });
}

/** Credentials of the right names for a stub that never looks at them. */
function blank(definition: GatewayDefinition): Credentials {
  return Object.fromEntries(['publicKey', 'secretKey', 'apiKey', 'webhookSecret', 'accessToken', ...definition.publicCredentials].map((name) => [name, `${name}_0123456789`]));
}

const withBigInt = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
const SKIPPED = new Error('the gateway has no such verb');
const skipped = (): Promise<never> => Promise.reject(SKIPPED);

function kindOf(call: Promise<unknown>): Promise<GatewayErrorKind | 'answered' | 'failed' | 'skipped'> {
  return call.then(() => 'answered' as const, (error: unknown) => (error instanceof GatewayError ? error.kind : error === SKIPPED ? 'skipped' as const : 'failed' as const));
}

