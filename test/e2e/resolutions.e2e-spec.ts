import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { approvedCharges, createPayment, eventually, mintToken, paidAtCulqi, paymentOf, readPayment, refundPayment, settled, type PaymentBody, type ProblemBody, type RefundBody } from '../support/payments.js';
import { lookOverNow } from '../support/look-over.js';
import { newMerchant, startService, type Merchant, type Service } from '../support/service.js';

type TicketBody = { id: string; kind: string; paymentId: string; refundId: string | null; status: string; resolution: string | null; resolvedBy: string | null; resolvedAt: string | null };
const EVIDENCE = { evidence: 'Culqi\'s support, case 4711' };

let service: Service;
let shop: Merchant;
let second: string;
beforeAll(async () => { service = await startService({ RESOLVE_SCHEDULE: '100ms,200ms' }); });
afterAll(() => service.close());
beforeEach(async () => {
  service.sandbox.faults.clear();
  shop = await newMerchant(service.ask);
  second = (await service.ask<{ key: string }>({ method: 'POST', path: `/v1/admin/tenants/${shop.tenantId}/api-keys`, key: shop.admin, body: { name: 'second', role: 'operator' } })).body.key;
});

const resolve = <T = PaymentBody & ProblemBody>(path: string, key: string, body: object, idempotencyKey: string = randomUUID()) =>
  service.ask<T>({ method: 'POST', path: `/v1/${path}/resolution`, key, body: { ...EVIDENCE, ...body }, headers: { 'idempotency-key': idempotencyKey } });
const tickets = async (query = '', key = shop.operator) => (await service.ask<{ data: TicketBody[] }>({ path: `/v1/tickets${query}`, key })).body.data;

/** A payment whose whole schedule brought nothing, and whether Culqi took the money. */
async function unresolved(isBooked: boolean): Promise<PaymentBody> {
  service.sandbox.faults.add({ route: 'GET /v2/charges', kind: 'error_before_booking', status: 503, times: 500, merchant: shop.culqi.merchant });
  service.sandbox.faults.add({ route: 'POST /v2/charges', kind: isBooked ? 'reset_after_booking' : 'reset_before_booking', merchant: shop.culqi.merchant });
  const { body } = await createPayment(service, shop.client, paymentOf(await mintToken(service.sandbox.url, shop)));
  expect(await settled(service, shop.client, body.id)).toMatchObject({ status: 'needs_review' });
  return body;
}

describe('a payment of which nobody tells', () => {
  it('is captured when two people say so, and can be refunded then', async () => {
    const { id } = await unresolved(true);
    const reference = approvedCharges(service, shop)[0]?.id ?? '';
    const [ticket] = await tickets(`?paymentId=${id}&status=open`);
    expect(ticket).toMatchObject({ kind: 'unresolved_outcome', status: 'open', resolution: null });

    expect(await resolve(`payments/${id}`, shop.operator, { outcome: 'captured', gatewayReference: reference })).toMatchObject({ status: 202, body: { status: 'needs_review' } });
    // The same person cannot agree with themselves.
    expect(await resolve(`payments/${id}`, shop.operator, { outcome: 'captured', gatewayReference: reference })).toMatchObject({ status: 202, body: { status: 'needs_review' } });
    const key = randomUUID();
    const applied = await resolve(`payments/${id}`, second, { outcome: 'captured' }, key);
    expect(applied).toMatchObject({ status: 200, body: { status: 'captured', amountCaptured: 12_900, gatewayReference: reference, attempts: [{ status: 'succeeded', pspCode: 'resolution' }] } });
    expect(await resolve(`payments/${id}`, second, { outcome: 'captured' }, key)).toMatchObject({ status: 200, text: applied.text, headers: { 'idempotent-replayed': 'true' } });
    expect(await tickets(`?paymentId=${id}`)).toMatchObject([{ status: 'resolved', resolution: 'Two people said what has become of it.' }]);

    const { body: timeline } = await service.ask<{ data: { to?: string; cause: string }[] }>({ path: `/v1/payments/${id}/timeline`, key: shop.client });
    expect(timeline.data.find(({ to }) => to === 'captured')).toMatchObject({ cause: 'people' });
    const { body: audit } = await service.ask<{ data: { action: string; subject: string }[] }>({ path: `/v1/admin/tenants/${shop.tenantId}/audit-entries`, key: shop.admin });
    expect(audit.data.filter(({ subject }) => subject === id).map(({ action }) => action)).toEqual(['resolution.approved', 'resolution.proposed', 'resolution.proposed']);
    const { body: found } = await service.ask<{ data: object[]; nextCursor: null }>({ path: `/v1/payments/${id}/resolutions`, key: shop.operator });
    expect(found).toMatchObject({ data: [{ outcome: 'captured', status: 'applied', gatewayReference: reference, ...EVIDENCE }, { status: 'replaced', approvedBy: null }], nextCursor: null });
    service.sandbox.faults.clear();
    expect((await refundPayment(service, shop.client, id)).body).toMatchObject({ status: 'succeeded', amount: 12_900 });
  });

  it('is failed when two people say so; money that shows afterwards goes back', async () => {
    const { id } = await unresolved(true);
    expect((await resolve(`payments/${id}`, shop.operator, { outcome: 'failed' })).status).toBe(202);
    expect(await resolve(`payments/${id}`, second, { outcome: 'failed' })).toMatchObject({ status: 200, body: { status: 'failed', failure: { code: 'processing_error' }, amountCaptured: 0 } });
    service.sandbox.faults.clear();
    expect((await service.ask({ method: 'POST', path: `/v1/payments/${id}/sync`, key: shop.operator })).status).toBe(200);
    await eventually(() => approvedCharges(service, shop)[0]?.amount_refunded, (refunded) => refunded === 12_900);
    expect(approvedCharges(service, shop)[0]).toMatchObject({ amount_refunded: 12_900 });
    expect((await readPayment(service, shop.client, id)).status).toBe('failed');
    expect((await tickets(`?paymentId=${id}&status=open`)).map(({ kind }) => kind)).toEqual(['late_capture']);
  });

  it('stays in review while two people do not say the same', async () => {
    const { id } = await unresolved(true);
    const reference = approvedCharges(service, shop)[0]?.id ?? '';
    expect((await resolve(`payments/${id}`, shop.operator, { outcome: 'captured', gatewayReference: reference })).status).toBe(202);
    expect((await resolve(`payments/${id}`, second, { outcome: 'failed' })).status).toBe(202);
    expect((await resolve(`payments/${id}`, shop.operator, { outcome: 'captured', gatewayReference: reference })).status).toBe(202);
    // Culqi does not answer what is under that reference: it is for the two to know.
    service.sandbox.faults.add({ route: 'GET /v2/charges/:id', kind: 'error_before_booking', times: 2, merchant: shop.culqi.merchant });
    expect((await resolve(`payments/${id}`, second, { outcome: 'captured', gatewayReference: 'chr_test_another000000' })).status).toBe(202);
    expect(await readPayment(service, shop.client, id)).toMatchObject({ status: 'needs_review', amountCaptured: 0 });
    expect((await resolve(`payments/${id}`, shop.operator, { outcome: 'captured', gatewayReference: 'chr_test_another000000' })).body).toMatchObject({ status: 'captured' });

    // They erred: what Culqi has under our own id is the money, and stays where it is.
    service.sandbox.faults.clear();
    await lookOverNow(service.tables);
    expect(await eventually(() => readPayment(service, shop.client, id), ({ gatewayReference }) => gatewayReference === reference)).toMatchObject({ status: 'captured', gatewayReference: reference });
    expect((await tickets(`?paymentId=${id}&status=open`)).map(({ kind }) => kind)).toEqual(['mismatch']);
    expect((await refundPayment(service, shop.client, id, { amount: 900 })).body).toMatchObject({ status: 'succeeded' });
    expect(approvedCharges(service, shop)).toMatchObject([{ id: reference, amount_refunded: 900 }]);
  });

  it('is not captured under a reference that the gateway does not know, or that is another payment\'s', async () => {
    const other = await paidAtCulqi(service, shop);
    const { id } = await unresolved(true);
    for (const [gatewayReference, message] of [['chr_test_another000000', 'names no payment at the gateway'], [other.gatewayReference, 'names another payment at the gateway']]) {
      expect(await resolve(`payments/${id}`, shop.operator, { outcome: 'captured', gatewayReference })).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field: 'gatewayReference', message }] } });
    }
    service.sandbox.faults.add({ route: 'GET /v2/charges/:id', kind: 'error_before_booking', times: 9, merchant: shop.culqi.merchant });
    expect(await resolve(`payments/${id}`, shop.operator, { outcome: 'captured', gatewayReference: other.gatewayReference })).toMatchObject({ status: 400, body: { errors: [{ field: 'gatewayReference', message: 'is another payment\'s' }] } });
  });

  it('and that Culqi shows to be absent after all, is failed', async () => {
    const { id } = await unresolved(false);
    service.sandbox.faults.clear();
    const sync = () => service.ask<PaymentBody>({ method: 'POST', path: `/v1/payments/${id}/sync`, key: shop.operator });
    expect(await eventually(async () => (await sync()).body, ({ status }) => status !== 'needs_review')).toMatchObject({ status: 'failed', failure: { code: 'gateway_unavailable' }, attempts: [{ status: 'failed' }] });
    expect(await tickets(`?paymentId=${id}&status=open`)).toEqual([]);
  });

  it.each(['webhook', 'look-over'])('is resolved by a late %s, too, and keeps its money', async (by) => {
    const { id, attempts } = await unresolved(true);
    const [charge] = approvedCharges(service, shop);
    service.sandbox.faults.clear();
    if (by === 'look-over') await lookOverNow(service.tables);
    else {
      const body = { object: 'event', id: 'evt_test_late00000000001', type: 'charge.creation.succeeded', data: { object: 'charge', id: charge?.id, metadata: { attempt_id: attempts[0]?.id } } };
      expect((await service.ask({ method: 'POST', path: `/webhooks/culqi/${shop.tenantId}`, body })).status).toBe(200);
    }
    expect(await eventually(() => readPayment(service, shop.client, id), ({ status }) => status === 'captured')).toMatchObject({ status: 'captured', gatewayReference: charge?.id });
    expect(await tickets(`?paymentId=${id}`)).toMatchObject([{ kind: 'unresolved_outcome', status: 'resolved' }]);
    expect(approvedCharges(service, shop)).toMatchObject([{ amount_refunded: 0 }]);
  });

  it('is agreed on once, however many agree at once', async () => {
    const { id } = await unresolved(false);
    expect((await resolve(`payments/${id}`, shop.operator, { outcome: 'failed' })).status).toBe(202);
    const answers = await Promise.all(Array.from({ length: 5 }, () => resolve(`payments/${id}`, second, { outcome: 'failed' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
  });

  it('is still resolved by the PSP\'s own word', async () => {
    const { id } = await unresolved(true);
    expect((await resolve(`payments/${id}`, shop.operator, { outcome: 'failed' })).status).toBe(202);
    service.sandbox.faults.clear();
    await service.ask({ method: 'POST', path: `/v1/payments/${id}/sync`, key: shop.operator });
    expect(await readPayment(service, shop.client, id)).toMatchObject({ status: 'captured' });
    expect(await tickets(`?paymentId=${id}`)).toMatchObject([{ status: 'resolved', resolution: 'The gateway said what has become of it.', resolvedBy: null }]);
    expect(await resolve(`payments/${id}`, second, { outcome: 'failed' })).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
  });

  it.each([
    [{ outcome: 'captured' }, 'gatewayReference'], [{ outcome: 'failed', gatewayReference: 'chr_test_x' }, 'gatewayReference'], [{ outcome: 'voided' }, 'outcome'], [{}, 'outcome'], [{ outcome: 'failed', evidence: '' }, 'evidence'],
  ])('with %j is refused', async (body, field) => {
    const { id } = await unresolved(false);
    expect(await resolve(`payments/${id}`, shop.operator, body)).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ field }] } });
  });
});

describe('a refund of which nobody tells', () => {
  it('is what two people say, and lets the next one go', async () => {
    const payment = await paidAtCulqi(service, shop);
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'reset_before_booking' });
    service.sandbox.faults.add({ route: 'GET /v2/refunds', kind: 'error_before_booking', times: 500 });
    const { body: refund } = await refundPayment(service, shop.client, payment.id, { amount: 4_000 });
    await eventually(async () => (await service.ask<RefundBody>({ path: `/v1/refunds/${refund.id}`, key: shop.client })).body, ({ status }) => status === 'needs_review');
    const { body: next } = await refundPayment(service, shop.client, payment.id, { amount: 1_000 });
    expect(next.status).toBe('submitted');
    service.sandbox.faults.clear();

    expect(await tickets(`?paymentId=${payment.id}`)).toMatchObject([{ kind: 'unresolved_outcome', refundId: refund.id }]);
    expect(await resolve<RefundBody>(`refunds/${refund.id}`, shop.operator, { outcome: 'failed' })).toMatchObject({ status: 202, body: { id: refund.id, status: 'needs_review' } });
    expect(await resolve<RefundBody>(`refunds/${refund.id}`, second, { outcome: 'failed' })).toMatchObject({ status: 200, body: { id: refund.id, status: 'failed' } });
    expect(await eventually(async () => (await service.ask<RefundBody>({ path: `/v1/refunds/${next.id}`, key: shop.client })).body, ({ status }) => status === 'succeeded')).toMatchObject({ status: 'succeeded' });
    expect(await tickets(`?paymentId=${payment.id}&status=open`)).toEqual([]);
    expect(await resolve(`refunds/${refund.id}`, second, { outcome: 'failed' })).toMatchObject({ status: 409 });
    expect(await resolve('refunds/rfd_00000000000000000000000000', second, { outcome: 'failed' })).toMatchObject({ status: 404 });
  });

  it.each(['sync', 'look-over'])('is what Culqi says after all, when a %s asks', async (by) => {
    const payment = await paidAtCulqi(service, shop);
    service.sandbox.faults.add({ route: 'POST /v2/refunds', kind: 'reset_after_booking' });
    service.sandbox.faults.add({ route: 'GET /v2/refunds', kind: 'error_before_booking', times: 500 });
    const { body: refund } = await refundPayment(service, shop.client, payment.id, { amount: 4_000 });
    const read = async () => (await service.ask<RefundBody>({ path: `/v1/refunds/${refund.id}`, key: shop.client })).body;
    expect(await eventually(read, ({ status }) => status === 'needs_review')).toMatchObject({ status: 'needs_review' });
    service.sandbox.faults.clear();
    if (by === 'look-over') await lookOverNow(service.tables);
    else expect((await service.ask({ method: 'POST', path: `/v1/payments/${payment.id}/sync`, key: shop.operator })).status).toBe(200);
    expect(await eventually(read, ({ status }) => status === 'succeeded')).toMatchObject({ status: 'succeeded' });
    expect(await readPayment(service, shop.client, payment.id)).toMatchObject({ amountRefunded: 4_000, amountRefundPending: 0 });
    expect((await readPayment(service, shop.client, payment.id)).refunds).toHaveLength(1);
    expect(await tickets(`?paymentId=${payment.id}&status=open`)).toEqual([]);
  });
});

describe('tickets', () => {
  it('are listed, resolved by a person, and opened again', async () => {
    const { id } = await unresolved(false);
    const [ticket] = await tickets(`?kind=unresolved_outcome`);
    expect(ticket).toMatchObject({ paymentId: id, status: 'open' });
    const change = (body: object, ticketId = ticket?.id, key = shop.operator) => service.ask<TicketBody>({ method: 'PATCH', path: `/v1/reconciliation/tickets/${ticketId}`, key, body });
    expect(await change({ status: 'resolved', resolution: 'asked Culqi' })).toMatchObject({ status: 200, body: { status: 'resolved', resolution: 'asked Culqi', resolvedBy: expect.stringMatching(/^key_/), resolvedAt: expect.any(String) } });
    expect(await tickets('?status=open')).toEqual([]);
    expect((await tickets('?status=open,resolved')).map(({ id: found }) => found)).toEqual([ticket?.id]);
    expect(await change({ status: 'open' })).toMatchObject({ status: 200, body: { status: 'open', resolution: null, resolvedBy: null, resolvedAt: null } });
    expect((await change({ status: 'closed' })).status).toBe(400);
    const other = await newMerchant(service.ask);
    expect((await change({ status: 'resolved' }, ticket?.id, other.operator)).status).toBe(404);
    expect(await tickets('', other.operator)).toEqual([]);
    expect((await service.ask({ path: '/v1/tickets', key: shop.client })).status).toBe(403);
  });
});
