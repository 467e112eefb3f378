import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCollector, type CollectedSpan } from '../support/collector.js';
import { mintToken, paymentOf, settled, type PaymentBody } from '../support/payments.js';
import { newMerchant, startService, type Merchant, type Service } from '../support/service.js';

type Collector = Awaited<ReturnType<typeof startCollector>>;

/** A service whose spans go to a collector of its own; `work` gets what came within a request's trace once it is sent. */
function traced(changes: Record<string, string>) {
  const made = {} as { collector: Collector; service: Service; shop: Merchant };
  beforeAll(async () => {
    made.collector = await startCollector();
    made.service = await startService({ OTEL_EXPORTER_OTLP_ENDPOINT: made.collector.url, ...changes });
    made.shop = await newMerchant(made.service.ask);
  }, 30_000);
  afterAll(async () => {
    await made.service.close();
    await made.collector.close();
  });
  return {
    made,
    /** Pays with a trace of its own. */
    pay: async (headers: Record<string, string> = {}, changesOfBody: Record<string, unknown> = {}) => {
      const { service, shop } = made;
      const token = await mintToken(service.sandbox.url, shop);
      const traceId = randomBytes(16).toString('hex');
      const answer = await service.ask<PaymentBody>({
        method: 'POST', path: '/v1/payments', key: shop.client, body: paymentOf(token, changesOfBody),
        headers: { 'idempotency-key': traceId, traceparent: `00-${traceId}-00f067aa0ba902b7-01`, ...headers },
      });
      return { answer, traceId, token };
    },
    spansOf: async (traceId: string, enough: (spans: CollectedSpan[]) => boolean): Promise<CollectedSpan[]> => {
      for (const endsAt = Date.now() + 8_000; ; await sleep(50)) {
        const spans = made.collector.spans().filter((span) => span.traceId === traceId);
        if (enough(spans) || Date.now() > endsAt) return spans;
      }
    },
  };
}

const named = (spans: CollectedSpan[], name: string): CollectedSpan | undefined => spans.find((span) => span.name === name);
const attribute = (span: CollectedSpan | undefined, key: string): unknown => Object.values(span?.attributes.find((each) => each.key === key)?.value ?? {})[0];

describe('with a collector', () => {
  const { made, pay, spansOf } = traced({});

  it('a payment is one trace under the trace id of its log lines: request, transactions, statements, PSP call', async () => {
    const { answer, traceId } = await pay();
    expect(answer.headers['x-trace-id']).toBe(traceId);
    const spans = await spansOf(traceId, (found) => named(found, 'POST /v1/payments') !== undefined);
    const request = named(spans, 'POST /v1/payments');
    expect(request).toMatchObject({ kind: 2, parentSpanId: '00f067aa0ba902b7' });
    expect(attribute(request, 'http.response.status_code')).toBe(201);
    const call = named(spans, 'culqi createPayment');
    expect(call).toMatchObject({ kind: 3, parentSpanId: request?.spanId });
    const transactions = spans.filter(({ name }) => name === 'transaction');
    expect(transactions).toHaveLength(2);
    for (const transaction of transactions) {
      expect(transaction.parentSpanId).toBe(request?.spanId);
      const inside = spans.filter(({ parentSpanId }) => parentSpanId === transaction.spanId).map(({ name }) => name);
      expect(inside[0]).toMatch(/^(begin|start)/);
      expect(inside.at(-1)).toBe('commit');
    }
    expect(spans.filter(({ parentSpanId }) => parentSpanId === call?.spanId)).toEqual([]); // no statement while the PSP is asked
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['select api_keys', 'insert payments', 'insert payment_attempts', 'update payments', 'insert idempotency_keys']));
    expect([...made.collector.paths]).toEqual(['/v1/traces']);
  });

  it('a job that follows from a request is in its trace', async () => {
    made.service.sandbox.faults.add({ route: 'POST /v2/charges', merchant: made.shop.culqi.merchant, kind: 'reset_after_booking' });
    const { answer, traceId } = await pay();
    expect(answer.body.status).toBe('processing');
    expect((await settled(made.service, made.shop.client, answer.body.id)).status).toBe('captured');
    const spans = await spansOf(traceId, (found) => named(found, 'job payments.look_up') !== undefined);
    const job = spans.findLast(({ name }) => name === 'job payments.look_up');
    expect(job).toMatchObject({ kind: 5 });
    expect(named(spans.filter(({ parentSpanId }) => parentSpanId === job?.spanId), 'culqi findPayments')).toBeDefined();
    expect(named(spans, 'culqi createPayment')?.status.code).toBe(2);
    expect(attribute(named(spans, 'culqi createPayment'), 'error.type')).toBe('outcome_unknown');
  }, 20_000);

  it('a trace id that is none of OpenTelemetry\'s leaves the span its own', async () => {
    await made.service.ask({ path: '/health/live', headers: { 'x-trace-id': 'shop-17' } });
    for (let tries = 0; tries < 100 && named(made.collector.spans(), 'GET /health/live') === undefined; tries++) await sleep(50);
    expect(named(made.collector.spans(), 'GET /health/live')?.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  });

  it('no span holds what is secret, or what a customer or an address told', async () => {
    const { traceId, token } = await pay({}, { description: 'CANARYdescription', reference: 'CANARYreference', customer: { email: 'canary@ejemplo.pe', firstName: 'CANARYname' } });
    await made.service.ask({ path: '/v1/payments/CANARYpath?reference=CANARYquery', key: made.shop.client });
    await spansOf(traceId, (found) => named(found, 'POST /v1/payments') !== undefined);
    await sleep(1_500);
    for (const secret of [token, made.shop.client, made.shop.culqi.secretKey, made.shop.culqi.publicKey, 'CANARY', 'canary@', made.shop.tenantId]) expect(made.collector.text()).not.toContain(secret);
  });
});

describe('with a share of nothing', () => {
  const { made, pay, spansOf } = traced({ OTEL_TRACES_SAMPLER_ARG: '0' });

  it('only traces with trouble are sent, and each of those whole', async () => {
    const [fine, declined] = [await pay(), await pay()];
    made.service.sandbox.faults.add({ route: 'POST /v2/charges', merchant: made.shop.culqi.merchant, kind: 'reset_after_booking' });
    const lost = await pay();
    const spans = await spansOf(lost.traceId, (found) => named(found, 'POST /v1/payments') !== undefined);
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['POST /v1/payments', 'culqi createPayment', 'transaction', 'insert payments']));
    await settled(made.service, made.shop.client, lost.answer.body.id);
    await sleep(1_500);
    for (const { traceId } of [fine, declined]) expect(made.collector.spans().filter((span) => span.traceId === traceId)).toEqual([]);
    expect(made.collector.spans().filter(({ name }) => name.startsWith('GET '))).toEqual([]);
  }, 20_000);
});

it('a collector that is away costs no request anything', async () => {
  const service = await startService({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  try {
    const shop = await newMerchant(service.ask);
    expect((await service.ask({ path: '/v1/payments', key: shop.client })).status).toBe(200);
  } finally {
    await service.close();
  }
}, 20_000);
