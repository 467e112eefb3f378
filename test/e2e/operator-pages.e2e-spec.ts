import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startInstance, startService, type Service } from '../support/service.js';
import { rememberCanaries } from '../support/settings.js';

const METRICS_TOKEN = 'canary_metrics_token_1234';
const DOCS_PASSWORD = 'canary:docs:contraseña'.replace('ñ', 'n');

let service: Service;
let guarded: Awaited<ReturnType<typeof startInstance>>;
beforeAll(async () => {
  rememberCanaries([METRICS_TOKEN, DOCS_PASSWORD]);
  service = await startService({ DOCS: 'off' });
  guarded = await startInstance(service.tables.url, service.sandbox.url, { METRICS_TOKEN, DOCS_PASSWORD });
}, 30_000);
afterAll(async () => {
  await guarded.app.close();
  await service.close();
});

const basic = (password: string): string => `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`;
const statusOf = async (url: string, authorization?: string): Promise<number> =>
  (await guarded.app.inject({ url, ...(authorization === undefined ? {} : { headers: { authorization } }) })).statusCode;

it('metrics are shown to whoever holds the token, and to nobody else', async () => {
  expect(await statusOf('/metrics', `Bearer ${METRICS_TOKEN}`)).toBe(200);
  for (const wrong of [undefined, `Bearer ${METRICS_TOKEN}x`, `Bearer ${METRICS_TOKEN.slice(0, -1)}`, 'Bearer', basic(METRICS_TOKEN)]) expect(await statusOf('/metrics', wrong)).toBe(401);
});

it.each(['/docs', '/docs/', '/docs/openapi.json', '/docs/openapi.yaml', '/docs/swagger-ui.css', '/%64ocs', '/docs/swagger-ui-init.js'])('%s asks for its password', async (url) => {
  const answer = await guarded.app.inject({ url });
  expect(answer).toMatchObject({ statusCode: 401, headers: { 'www-authenticate': 'Basic realm="docs", charset="UTF-8"' } });
  expect(answer.payload).not.toContain('openapi"');
  expect(await statusOf(url, basic('wrong'))).toBe(401);
  expect([200, 302]).toContain(await statusOf(url, basic(DOCS_PASSWORD)));
});

it('where the documentation is off there is none', async () => {
  for (const path of ['/docs', '/docs/openapi.json']) expect(await service.ask({ path })).toMatchObject({ status: 404, body: { code: 'route_not_found' } });
});
