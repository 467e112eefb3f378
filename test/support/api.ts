import { randomUUID } from 'node:crypto';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { mintToken, paymentOf, type PaymentBody } from './payments.js';
import { startProcess, type ServiceProcess } from './process.js';
import { newMerchant, type Merchant } from './service.js';
import { PLATFORM_ADMIN_KEY, testEnvironment } from './settings.js';
import { newId } from '../../src/shared/id.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

type Parameter = { name: string; in: 'path' | 'query' | 'header' };
export type Operation = { method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'; route: string; parameters: Parameter[]; needsKey: boolean; takesBody: boolean };

/** What a merchant has that others must not see. */
export type Belongings = Merchant & { refundId: string; ticketId: string; webhookEventId: string; customerId: string; savedMethodId: string; paymentId: string; createdPaymentId: string; apiKeyId: string; reference: string; gatewayReference: string };

/** The compiled service with its own description, and two merchants with everything that a route can name. */
export type Api = {
  service: ServiceProcess; tables: TestDatabase; sandbox: CulqiSandbox; operations: Operation[]; ana: Belongings; benito: Belongings;
  /** A fingerprint of all rows of all tables: a request that was refused leaves it as it was. */
  rows: () => Promise<string>;
  close: () => Promise<void>;
};

export async function startApi(changes: Record<string, string> = {}): Promise<Api> {
  const tables = await createTestDatabase();
  const sandbox = await startCulqiSandbox({});
  const service = await startProcess(testEnvironment(tables.url, sandbox.url, { WORKER: 'off', ...changes }));
  const description = await service.ask<{ paths: Record<string, Record<string, { parameters?: Parameter[]; security?: object[]; requestBody?: object }>> }>({ path: '/docs/openapi.json' });
  const operations = Object.entries(description.body.paths).flatMap(([route, methods]) => Object.entries(methods).map(([method, operation]): Operation => ({
    method: method.toUpperCase() as Operation['method'], route, parameters: operation.parameters ?? [], needsKey: (operation.security ?? []).length > 0, takesBody: operation.requestBody !== undefined,
  })));
  const names = (await tables.query<{ name: string }>("select table_name as name from information_schema.tables where table_schema = database()")).map(({ name }) => name);
  return {
    service, tables, sandbox, operations, ana: await belongingsOf(service, sandbox, tables), benito: await belongingsOf(service, sandbox, tables),
    rows: async () => JSON.stringify(await tables.query(`checksum table ${names.join(', ')}`)),
    close: async () => {
      await service.kill('SIGTERM');
      await sandbox.close();
      await tables.drop();
    },
  };
}

/** A customer of whom Culqi is told enough to keep a card. */
const CUSTOMER = { email: 'ana@ejemplo.pe', firstName: 'Ana', lastName: 'Rojas', phone: '+51999000111', country: 'PE', address: { line1: 'Avenida 1', city: 'Lima' } };

async function belongingsOf(service: ServiceProcess, sandbox: CulqiSandbox, tables: TestDatabase): Promise<Belongings> {
  const merchant = await newMerchant(service.ask);
  const reference = `ORD-${randomUUID()}`;
  const create = async (changes: Record<string, unknown>) => service.ask<PaymentBody>({
    method: 'POST', path: '/v1/payments', key: merchant.client, body: paymentOf(await mintToken(sandbox.url, merchant), { reference, ...changes }), headers: { 'idempotency-key': randomUUID() },
  });
  const paid = await create({});
  const waiting = await create({ confirm: false });
  const refund = await service.ask<{ id: string }>({ method: 'POST', path: `/v1/payments/${paid.body.id}/refunds`, key: merchant.client, body: { amount: 50 }, headers: { 'idempotency-key': randomUUID() } });
  await service.ask({ method: 'POST', path: `/webhooks/culqi/${merchant.tenantId}`, body: { object: 'event', id: `evt_test_${randomUUID().slice(0, 8)}`, type: 'charge.creation.succeeded', data: { id: paid.body.gatewayReference } } });
  const events = await service.ask<{ data: { id: string }[] }>({ path: '/v1/webhook-events', key: merchant.operator });
  const customer = await service.ask<{ id: string }>({ method: 'POST', path: '/v1/customers', key: merchant.client, body: CUSTOMER });
  const saved = await service.ask<{ id: string }>({ method: 'POST', path: `/v1/customers/${customer.body.id}/payment-methods`, key: merchant.client, body: { gateway: 'culqi', token: await mintToken(sandbox.url, merchant) } });
  const ticketId = newId('tic');
  await tables.query("insert into tickets (id, tenant_id, kind, payment_id, dedupe_key, status, evidence, opened_at) values (?, ?, 'mismatch', ?, ?, 'open', '{}', now(3))", [ticketId, merchant.tenantId, paid.body.id, ticketId]);
  const keys = await service.ask<{ data: { id: string; role: string }[] }>({ path: `/v1/admin/tenants/${merchant.tenantId}/api-keys`, key: merchant.admin });
  return {
    ...merchant, paymentId: paid.body.id, createdPaymentId: waiting.body.id, reference, gatewayReference: paid.body.gatewayReference ?? '',
    refundId: refund.body.id, ticketId, customerId: customer.body.id, savedMethodId: saved.body.id, webhookEventId: events.body.data[0]?.id ?? '', apiKeyId: keys.body.data.find(({ role }) => role === 'client')?.id ?? '',
  };
}

/** The path of an operation with somebody's ids in it. */
export function pathOf({ route }: Operation, owner: Pick<Belongings, 'tenantId' | 'apiKeyId' | 'paymentId' | 'createdPaymentId' | 'refundId' | 'ticketId' | 'webhookEventId' | 'customerId' | 'savedMethodId'>): string {
  const id = route.includes('payment-methods') ? owner.savedMethodId : route.includes('api-keys') ? owner.apiKeyId : route.includes('tickets') ? owner.ticketId : route.startsWith('/v1/refunds') ? owner.refundId : route.startsWith('/v1/webhook-events') ? owner.webhookEventId : route.startsWith('/v1/customers') ? owner.customerId : route.endsWith('/confirm') ? owner.createdPaymentId : owner.paymentId;
  return route.replace('{tenantId}', owner.tenantId).replace('{gateway}', 'culqi').replace('{customerId}', owner.customerId).replace('{id}', id);
}

/** A right body for a route that takes one; a test makes sure that each route has one. */
export function bodyOf({ method, route }: Operation): Record<string, unknown> | undefined {
  const bodies: Record<string, Record<string, unknown>> = {
    'POST /v1/payments': { amount: 12_900, currency: 'PEN', confirm: false, reference: 'ORD-1', description: 'Plan', customer: { email: 'ana@ejemplo.pe', firstName: 'Ana', address: { line1: 'Av. 1' } }, metadata: { plan: 'basic' } },
    'POST /v1/customers': { email: 'ana@ejemplo.pe', firstName: 'Ana', document: { type: 'DNI', number: '12345678' }, metadata: { plan: 'basic' } },
    'POST /v1/customers/{customerId}/payment-methods': { gateway: 'culqi', token: 'tkn_test_0000000000000000', default: true },
    'PATCH /v1/customers/{customerId}/payment-methods/{id}': { default: true },
    'PATCH /v1/customers/{id}': { phone: '+51999000111', address: { line1: 'Av. 1' } },
    'POST /v1/payments/{id}/resolution': { outcome: 'failed', evidence: 'the gateway\'s support says so' }, 'POST /v1/refunds/{id}/resolution': { outcome: 'failed', evidence: 'the gateway\'s support says so' },
    'PATCH /v1/tickets/{id}': { status: 'resolved', resolution: 'looked at' }, 'PATCH /v1/reconciliation/tickets/{id}': { status: 'resolved', resolution: 'looked at' },
    'POST /v1/payments/{id}/capture': { amount: 12_900 },
    'POST /v1/payments/{id}/refunds': { amount: 100, reason: 'requested_by_customer' },
    'POST /v1/payments/{id}/authentication': { eci: '05', xid: 'eA==', cavv: 'Y2F2dg==', protocolVersion: '2.2.0', directoryServerTransactionId: 'd5a5a5a5' },
    'PATCH /v1/admin/tenants/{tenantId}': { name: 'Tienda 2', settings: { refundLimit: 500_000 } },
    'POST /webhooks/{gateway}/{tenantId}': { object: 'event', id: 'evt_test_0000000000000000', type: 'order.status.changed' },
    'POST /v1/payments/{id}/confirm': { customer: { email: 'ana@ejemplo.pe' } },
    'POST /v1/admin/tenants': { name: 'Tienda', country: 'PE', defaultCurrency: 'PEN', email: 'a@ejemplo.pe' },
    'POST /v1/admin/tenants/{tenantId}/api-keys': { name: 'till', role: 'client' },
    'PUT /v1/admin/tenants/{tenantId}/gateway-accounts/{gateway}': { credentials: { publicKey: 'pk_test_abcdefghijkl', secretKey: 'sk_test_abcdefghijkl' }, enabled: true, environment: 'sandbox' },
  };
  return bodies[`${method} ${route}`];
}

const OPERATORS = [
  'POST /v1/payments/{id}/sync', 'DELETE /v1/customers/{id}', 'GET /v1/customers/{id}/export', 'POST /v1/payments/{id}/resolution', 'GET /v1/payments/{id}/resolutions', 'POST /v1/refunds/{id}/resolution', 'GET /v1/tickets',
  'PATCH /v1/tickets/{id}', 'GET /v1/reconciliation/tickets', 'PATCH /v1/reconciliation/tickets/{id}',
];

/** The least key that may use an operation on one's own things. */
export function keyFor({ method, route }: Operation, owner: Merchant): string {
  if (route === '/v1/admin/tenants') return PLATFORM_ADMIN_KEY;
  if (route.startsWith('/v1/admin')) return owner.admin;
  return OPERATORS.includes(`${method} ${route}`) || route.startsWith('/v1/webhook-events') ? owner.operator : owner.client;
}
