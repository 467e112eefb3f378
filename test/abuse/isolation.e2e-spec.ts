import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bodyOf, pathOf, startApi, type Api, type Operation } from '../support/api.js';
import { PLATFORM_ADMIN_KEY } from '../support/settings.js';

let api: Api;
beforeAll(async () => { api = await startApi(); }, 60_000);
afterAll(() => api.close());

type Refusal = { status: number; body: Record<string, unknown> };

/** What is answered, without what differs from request to request. */
async function ask(operation: Operation, path: string, key?: string): Promise<Refusal> {
  const { status, body } = await api.service.ask<Record<string, unknown>>({
    method: operation.method, path, ...(key === undefined ? {} : { key }), headers: { 'idempotency-key': randomUUID() }, ...(bodyOf(operation) === undefined ? {} : { body: bodyOf(operation) }),
  });
  return { status, body: { ...body, traceId: undefined, instance: undefined } };
}

const named = ({ method, route }: Operation): string => `${method} ${route}`;
const withIds = (): Operation[] => api.operations.filter(({ route, needsKey }) => needsKey && /\{(id|tenantId|customerId)\}/.test(route));
const NOBODYS = { tenantId: 'ten_01m85vjb1w08qk6c25g25fzn4a', apiKeyId: 'key_01m85vjb1w08qk6c25g25fzn4a', paymentId: 'pay_01m85vjb1w08qk6c25g25fzn4a', createdPaymentId: 'pay_01m85vjb1w08qk6c25g25fzn4a', refundId: 'rfd_01m85vjb1w08qk6c25g25fzn4a', ticketId: 'tic_01m85vjb1w08qk6c25g25fzn4a', webhookEventId: 'whe_01m85vjb1w08qk6c25g25fzn4a', customerId: 'cus_01m85vjb1w08qk6c25g25fzn4a', savedMethodId: 'pm_01m85vjb1w08qk6c25g25fzn4a' };

describe('another merchant\'s things (G1, I15)', () => {
  it('are to every key exactly what does not exist, on every route with an id', async () => {
    const { ana, benito } = api;
    expect(withIds().length).toBeGreaterThan(8);
    const before = await api.rows();
    const wrong: string[] = [];
    for (const operation of withIds()) {
      for (const role of ['client', 'operator', 'admin'] as const) {
        const [foreign, missing] = [await ask(operation, pathOf(operation, benito), ana[role]), await ask(operation, pathOf(operation, NOBODYS), ana[role])];
        if (JSON.stringify(foreign) !== JSON.stringify(missing) || ![403, 404].includes(foreign.status)) wrong.push(`${named(operation)} as ${role}: ${JSON.stringify(foreign)} for ${JSON.stringify(missing)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(await api.rows()).toBe(before);
  });

  it('are not found within one\'s own tenant either: an id of another below one\'s own', async () => {
    const { ana, benito } = api;
    for (const operation of withIds().filter(({ route }) => route.includes('{tenantId}') && route.includes('{id}'))) {
      const path = pathOf(operation, { ...ana, apiKeyId: benito.apiKeyId });
      expect({ of: named(operation), ...await ask(operation, path, ana.admin) }).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    expect((await api.service.ask({ path: '/v1/payments', key: benito.client })).status).toBe(200);
  });

  it('are in no list, whatever is searched for, and their cursors lead nowhere', async () => {
    const { ana, benito } = api;
    const theirs = await api.service.ask<{ data: { id: string }[]; nextCursor: string }>({ path: '/v1/payments?limit=1', key: benito.client });
    const queries = [`reference=${benito.reference}`, `gatewayReference=${benito.gatewayReference}`, `reference=${encodeURIComponent("' or 1=1 -- ")}`, `gatewayReference=%25`];
    for (const query of queries) expect(await api.service.ask({ path: `/v1/payments?${query}`, key: ana.admin })).toMatchObject({ status: 200, body: { data: [] } });
    const page = await api.service.ask<{ data: { id: string }[] }>({ path: `/v1/payments?cursor=${theirs.body.nextCursor}`, key: ana.client });
    expect(page.body.data.map(({ id }) => id).filter((id) => ![ana.paymentId, ana.createdPaymentId].includes(id))).toEqual([]);
    for (const operation of api.operations.filter(({ method, route }) => method === 'GET' && route.startsWith('/v1/') && !route.endsWith('{id}'))) {
      const path = pathOf(operation, ana);
      const listed = await api.service.ask({ path, key: path.startsWith('/v1/admin') ? ana.admin : ana.client });
      for (const foreign of [benito.paymentId, benito.createdPaymentId, benito.tenantId, benito.apiKeyId, benito.reference, benito.culqi.publicKey]) expect(listed.text).not.toContain(foreign);
    }
  });
});

describe('who may what', () => {
  /** The least role for each route (design/api.md); `platform` alone makes tenants. A route that is not here fails the test. */
  const NEEDED: Record<string, 'public' | 'client' | 'operator' | 'admin' | 'platform'> = {
    'GET /health/live': 'public', 'GET /health/ready': 'public',
    'POST /v1/admin/tenants': 'platform', 'GET /v1/admin/tenants/{tenantId}': 'admin', 'POST /v1/admin/tenants/{tenantId}/api-keys': 'admin', 'GET /v1/admin/tenants/{tenantId}/api-keys': 'admin',
    'DELETE /v1/admin/tenants/{tenantId}/api-keys/{id}': 'admin', 'PUT /v1/admin/tenants/{tenantId}/gateway-accounts/{gateway}': 'admin', 'GET /v1/admin/tenants/{tenantId}/gateway-accounts': 'admin',
    'GET /v1/admin/tenants/{tenantId}/audit-entries': 'admin',
    'PATCH /v1/admin/tenants/{tenantId}': 'admin', 'POST /webhooks/{gateway}/{tenantId}': 'public', 'GET /v1/webhook-events': 'operator', 'POST /v1/webhook-events/{id}/replay': 'operator',
    'POST /v1/payments/{id}/refunds': 'client', 'GET /v1/payments/{id}/refunds': 'client', 'GET /v1/refunds': 'client', 'GET /v1/refunds/{id}': 'client', 'POST /v1/payments/{id}/authentication': 'client',
    'POST /v1/customers/{customerId}/payment-methods': 'client', 'GET /v1/customers/{customerId}/payment-methods': 'client', 'PATCH /v1/customers/{customerId}/payment-methods/{id}': 'client',
    'POST /v1/customers': 'client', 'GET /v1/customers': 'client', 'GET /v1/customers/{id}': 'client', 'PATCH /v1/customers/{id}': 'client', 'GET /v1/customers/{id}/payments': 'client', 'GET /v1/customers/{id}/export': 'operator', 'GET /v1/payment-methods': 'client',
    'POST /v1/payments/{id}/resolution': 'operator', 'GET /v1/payments/{id}/resolutions': 'operator', 'POST /v1/refunds/{id}/resolution': 'operator', 'GET /v1/tickets': 'operator', 'PATCH /v1/tickets/{id}': 'operator',
    'GET /v1/reconciliation/tickets': 'operator', 'PATCH /v1/reconciliation/tickets/{id}': 'operator',
    'POST /v1/payments': 'client', 'GET /v1/payments': 'client', 'GET /v1/payments/{id}': 'client', 'GET /v1/payments/{id}/timeline': 'client', 'POST /v1/payments/{id}/confirm': 'client',
    'POST /v1/payments/{id}/capture': 'client', 'POST /v1/payments/{id}/void': 'client', 'POST /v1/payments/{id}/sync': 'operator',
  };
  const RANK = { public: 0, client: 1, operator: 2, admin: 3, platform: 4 };

  it('is decided on every route by the role of the key', async () => {
    const { ana } = api;
    const wrong: string[] = [];
    for (const operation of api.operations.filter(({ method }) => method !== 'DELETE')) {
      const needed = NEEDED[named(operation)];
      if (needed === undefined) wrong.push(`${named(operation)} is not in the list`);
      for (const [role, key] of [['none', undefined], ['client', ana.client], ['operator', ana.operator], ['admin', ana.admin], ['platform', PLATFORM_ADMIN_KEY]] as const) {
        const { status } = await ask(operation, pathOf(operation, ana), key);
        const isAdmin = operation.route.startsWith('/v1/admin');
        const may = needed === 'public' || (role === 'platform' ? isAdmin : role !== 'none' && RANK[role] >= RANK[needed ?? 'platform']);
        const right = may ? ![401, 403].includes(status) : status === (role === 'none' ? 401 : 403);
        if (!right) wrong.push(`${named(operation)} with ${role}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('ends with the revocation of a key, at once and everywhere', async () => {
    const { ana } = api;
    const made = await api.service.ask<{ id: string; key: string }>({ method: 'POST', path: `/v1/admin/tenants/${ana.tenantId}/api-keys`, key: ana.admin, body: { name: 'gone', role: 'admin' } });
    await api.service.ask({ method: 'DELETE', path: `/v1/admin/tenants/${ana.tenantId}/api-keys/${made.body.id}`, key: ana.admin });
    for (const operation of api.operations.filter(({ needsKey }) => needsKey)) expect((await ask(operation, pathOf(operation, ana), made.body.key)).status).toBe(401);
  });
});

describe('members that only we set (G2)', () => {
  const OURS = ['status', 'tenantId', 'tenant_id', 'id', 'version', 'createdAt', 'updatedAt', 'amountCaptured', 'amountRefunded', 'fee', 'net', 'gatewayReference', 'attempts', 'failure', 'processingReason', 'clientToken',
    'key', 'hash', 'revokedAt', 'isAdmin', '__proto__', 'constructor', 'prototype'];

  it('are refused by name on every route that takes a body, and change nothing', async () => {
    const { ana } = api;
    const before = await api.rows();
    const wrong: string[] = [];
    for (const operation of api.operations.filter(({ takesBody, needsKey }) => takesBody && needsKey)) {
      const right = bodyOf(operation) ?? {};
      for (const member of OURS.filter((name) => !(name in right) || name.startsWith('__'))) {
        const body = `${JSON.stringify(right).slice(0, -1)},${JSON.stringify(member)}:${member.startsWith('_') || member.startsWith('c') ? '{"role":"admin"}' : '"captured"'}}`;
        const answer = await api.service.ask<{ code: string; errors?: { field: string }[] }>({
          method: operation.method, path: pathOf(operation, ana), body, key: operation.route.startsWith('/v1/admin') ? PLATFORM_ADMIN_KEY : ana.operator, headers: { 'idempotency-key': randomUUID() },
        });
        if (answer.status !== 400 || answer.body.errors?.[0]?.field !== member) wrong.push(`${named(operation)} with ${member}: ${answer.status} ${answer.text.slice(0, 150)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(await api.rows()).toBe(before);
  });
});
