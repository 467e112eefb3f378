import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { startProcess, type ServiceProcess } from '../support/process.js';
import { newMerchant, type Merchant } from '../support/service.js';
import { PLATFORM_ADMIN_KEY, testEnvironment } from '../support/settings.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { FAULTS, membersOf, textWith, type Schema } from './faulty-values.js';

type Description = { paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>; components: { schemas: Record<string, Schema> } };

let tables: TestDatabase;
let sandbox: CulqiSandbox;
let service: ServiceProcess;
let shop: Merchant;
let description: Description;
beforeAll(async () => {
  tables = await createTestDatabase();
  sandbox = await startCulqiSandbox({});
  service = await startProcess(testEnvironment(tables.url, sandbox.url, { GATEWAY_TIMEOUT_MS: '1000' }));
  shop = await newMerchant(service.ask);
  description = (await service.ask<Description>({ path: '/docs/openapi.json' })).body;
}, 60_000);
afterAll(async () => {
  expect(await service.kill('SIGTERM')).toBe(0);
  await sandbox.close();
  await tables.drop();
});

/** A right body for each route that takes one. The payment is only stored, so that nothing of it depends on a PSP. */
const ROUTES: [method: 'POST' | 'PUT' | 'PATCH', route: string, body: Record<string, unknown>][] = [
  ['POST', '/v1/payments', {
    amount: 12_900, currency: 'PEN', reference: 'ORD-1', description: 'Plan', captureMethod: 'automatic', confirm: false, uniqueReference: false, gateway: 'culqi',
    returnUrl: 'https://shop.example/return', metadata: { plan: 'starter' },
    customer: { email: 'ana@ejemplo.pe', firstName: 'Ana', lastName: 'Rojas', phone: '+51999000111', country: 'PE', address: { line1: 'Av. 1', city: 'Lima', state: 'LIM', postalCode: '15001' }, document: { type: 'DNI', number: '12345678' }, ip: '203.0.113.7', deviceId: 'device-1' },
    paymentMethod: { type: 'card', tokens: { culqi: 'tkn_test_x' }, card: { bin: '411111', last4: '1111', brand: 'visa', funding: 'credit', issuerCountry: 'PE' }, installments: 1, options: {} },
  }],
  ['POST', '/v1/admin/tenants', { name: 'Tienda', country: 'PE', defaultCurrency: 'PEN', email: 'a@ejemplo.pe', locale: 'es', timeZone: 'America/Lima' }],
  ['PATCH', '/v1/admin/tenants/{tenantId}', { name: 'Tienda', settings: { refundLimit: 5_000 } }],
  ['POST', '/v1/admin/tenants/{tenantId}/api-keys', { name: 'till', role: 'client' }],
  ['PUT', '/v1/admin/tenants/{tenantId}/gateway-accounts/{gateway}', { credentials: { publicKey: 'pk_test_abcdefghijkl', secretKey: 'sk_test_abcdefghijkl' }, enabled: true, environment: 'sandbox' }],
];

let requests = 0;

function send(method: 'POST' | 'PUT' | 'PATCH', route: string, body: string) {
  const path = route.replace('{tenantId}', shop.tenantId).replace('{gateway}', 'culqi');
  return service.ask<{ code?: string; errors?: { field: string }[] }>({
    method, path, body, key: path.startsWith('/v1/admin') ? PLATFORM_ADMIN_KEY : shop.client, headers: { 'idempotency-key': `bad-input-${++requests}` },
  });
}

/** Codes that speak of the whole body and not of a field. */
const OF_THE_BODY = new Set(['malformed_json', 'json_too_deep', 'duplicate_property']);

/** Free text takes any text on one line that is not too long, an optional member takes null for absent. Everything else is refused. */
function mayBeAccepted(path: readonly string[], required: boolean, fault: string): boolean {
  const name = path.join('.');
  if (fault === 'null') return !required;
  if (['uniqueReference', 'enabled'].includes(name) && fault === 'a boolean') return true;
  const freeText = /^(reference|description|name)$|\.(firstName|lastName|line1|city|state|postalCode|type|number|brand)$/.test(name) && name !== 'paymentMethod.type';
  const printable = ['a blank', 'a number as text', 'Arabic digits', 'NaN as text', 'emoji', 'right-to-left text', 'markup', 'SQL', 'a template', 'a path'];
  if (freeText && printable.includes(fault)) return true;
  if (/\.deviceId$/.test(name) && ['a number as text', 'NaN as text', 'markup', 'a template', 'a path'].includes(fault)) return true;
  if (name === 'customer.phone' && fault === 'a number as text') return true;
  if (['metadata', 'paymentMethod.options', 'customer.address', 'paymentMethod.card', 'settings'].includes(name) && fault === 'an object') return true;
  if (['amount', 'settings.refundLimit'].includes(name) && fault === 'an exponent') return true;
  if (name === 'settings.refundLimit' && (fault === 'zero' || fault === 'minus zero')) return true;
  if (['fees', 'referenceFees'].includes(name) && fault === 'a list') return true;
  return false;
}

describe('a wrong value', () => {
  it.each(ROUTES)('in %s %s is refused naming its member, or is no wrong value there', async (method, route, body) => {
    const schema = description.paths[route]?.[method.toLowerCase()]?.requestBody?.content['application/json']?.schema ?? {};
    const members = membersOf(schema, description.components.schemas);
    expect(members.length).toBeGreaterThanOrEqual(Object.keys(body).length);
    expect((await send(method, route, JSON.stringify(body))).status).toBeLessThan(300);

    const wrong: string[] = [];
    for (const { path, required } of members) {
      for (const [fault, text] of [...Object.entries(FAULTS), ['nothing', null] as const]) {
        // Confirming by default, the payment would go out.
        if (path.join('.') === 'confirm' && ['a boolean', 'null', 'nothing'].includes(fault)) continue;
        const answer = await send(method, route, textWith(body, path, text));
        const name = path.join('.');
        const accepted = answer.status < 300;
        const named = (answer.body.errors ?? []).some(({ field }) => field.startsWith(name) || name.startsWith(field)) || OF_THE_BODY.has(answer.body.code ?? '');
        const right = accepted ? (fault === 'nothing' ? !required : mayBeAccepted(path, required, fault)) : answer.status >= 400 && answer.status < 500 && named;
        if (!right) wrong.push(`${name} as ${fault}: ${answer.status} ${answer.text.slice(0, 200)}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  it.each(ROUTES)('in %s %s: a member that nobody knows is refused wherever it stands', async (method, route, body) => {
    const schema = description.paths[route]?.[method.toLowerCase()]?.requestBody?.content['application/json']?.schema ?? {};
    const objects = [[], ...membersOf(schema, description.components.schemas).map(({ path }) => path)]
      .filter((path) => { const value = path.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], body); return typeof value === 'object' && value !== null; })
      .filter((path) => !/metadata|options|tokens/.test(path.join('.')));
    for (const path of objects) {
      const answer = await send(method, route, textWith(body, [...path, 'surprise'], '1'));
      expect({ at: path.join('.'), status: answer.status, fields: answer.body.errors?.map(({ field }) => field) }).toEqual({ at: path.join('.'), status: 400, fields: [[...path, 'surprise'].join('.')] });
    }
  });

  it.each(ROUTES)('in %s %s: a body that is broken as a whole is refused', async (method, route, body) => {
    const text = JSON.stringify(body);
    const bodies: [string, string, number, string][] = [
      ['twice the same member', `${text.slice(0, -1)},"${Object.keys(body)[0]}":1}`, 400, 'duplicate_property'],
      ['cut short', text.slice(0, -3), 400, 'malformed_json'],
      ['a list', `[${text}]`, 400, 'validation_failed'],
      ['a text', '"body"', 400, 'validation_failed'],
      ['too deep', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`, 400, 'json_too_deep'],
      ['a depth bomb', `${'['.repeat(60_000)}${']'.repeat(60_000)}`, 400, 'json_too_deep'],
      ['too large', JSON.stringify({ ...body, padding: 'x'.repeat(300_000) }), 413, 'body_too_large'],
    ];
    for (const [fault, broken, status, code] of bodies) {
      const answer = await send(method, route, broken);
      expect({ fault, status: answer.status, code: answer.body.code }).toEqual({ fault, status, code });
    }
  });
});

it('after all that, nothing reached a PSP, and the service is ready', async () => {
  expect(sandbox.books.requests()).toEqual([]);
  expect((await service.ask({ path: '/health/ready' })).status).toBe(200);
});
