import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { keyFor, pathOf, startApi, type Api, type Operation } from '../support/api.js';
import { headOf, sendRaw, type RawAnswer } from '../support/raw-http.js';

let api: Api;
beforeAll(async () => { api = await startApi(); }, 60_000);
afterAll(() => api.close());

/** As a client would write them into an address, encoded by whoever attacks. */
const VALUES: Record<string, string> = {
  empty: '', 'a NUL': '%00', 'a line break': '%0d%0aSet-Cookie:%20a=b', 'a wrong escape': '%zz', 'half an escape': '%', 'bytes that are no UTF-8': '%ff%fe', 'half a surrogate': '%ed%a0%80',
  SQL: "'%20or%20'1'='1", 'SQL that waits': "1;select%20sleep(5)--", 'a union': "')%20union%20select%20hash%20from%20api_keys--", 'a path': '..%2f..%2fetc%2fpasswd', 'dots': '..', markup: '%3Cscript%3E', template: '$%7B7*7%7D',
  'a wildcard': '%25', 'a number': '1', 'a negative number': '-1', 'a huge number': '99999999999999999999', NaN: 'NaN', 'an exponent': '1e3', 'a long text': 'x'.repeat(3_000), 'an id cut short': 'pay_01', 'an id in capitals': 'PAY_01M85VJB1W08QK6C25G25FZN4A',
  'a prototype': '__proto__', emoji: '%F0%9F%98%80',
};

const get = (operation: Operation, path: string): Promise<RawAnswer> => sendRaw(api.service.url, headOf(operation.method, path, [
  ['Authorization', `Bearer ${keyFor(operation, api.ana)}`], ['Idempotency-Key', 'abuse'], ['Content-Length', '0'], ['Connection', 'close'],
]));
const named = ({ method, route }: Operation): string => `${method} ${route}`;
const isRefusal = ({ status, headers, body }: RawAnswer): boolean => status >= 400 && status < 500 && headers['content-type'] === 'application/problem+json' && body.code !== undefined;

it('whatever stands for an id in an address is refused as unknown or wrong, and writes nothing', async () => {
  const before = await api.rows();
  const wrong: string[] = [];
  for (const operation of api.operations.filter(({ route }) => route.includes('{'))) {
    const parameters = operation.parameters.filter((parameter) => parameter.in === 'path');
    expect(parameters.length).toBeGreaterThan(0);
    for (const { name } of parameters) {
      const answers = await Promise.all(Object.entries(VALUES).filter(([fault]) => !['empty', 'dots'].includes(fault)).map(async ([fault, value]) => {
        const path = pathOf({ ...operation, route: operation.route.replace(`{${name}}`, value) }, api.ana);
        return { fault, answer: await get(operation, path) };
      }));
      for (const { fault, answer } of answers) if (!isRefusal(answer)) wrong.push(`${named(operation)} {${name}} as ${fault}: ${answer.status} ${answer.text.slice(0, 120)}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(await api.rows()).toBe(before);
});

it('whatever stands for a parameter of a list is refused by its name, or finds nothing', async () => {
  const lists = api.operations.filter(({ method, parameters }) => method === 'GET' && parameters.some((parameter) => parameter.in === 'query'));
  expect(lists.length).toBeGreaterThan(1);
  /** Text to search for: anything that could be one finds what has it, which is nothing. */
  const FREE = ['reference', 'gatewayReference', 'paymentId', 'customerId', 'email', 'externalId'];
  const wrong: string[] = [];
  for (const operation of lists) {
    for (const { name } of operation.parameters.filter((parameter) => parameter.in === 'query')) {
      for (const [fault, value] of Object.entries(VALUES)) {
        const answer = await get(operation, `${pathOf(operation, api.ana)}?${name}=${value}`);
        const found = (answer.body as { data?: unknown[] }).data;
        const namesIt = answer.body.errors?.some(({ field }) => field === name) === true || (name === 'cursor' && answer.body.code === 'invalid_cursor');
        const right = isRefusal(answer) ? namesIt : answer.status === 200 && ((FREE.includes(name) && found?.length === 0) || (name === 'limit' && fault === 'a number'));
        if (!right) wrong.push(`${named(operation)} ${name} as ${fault}: ${answer.status} ${answer.text.slice(0, 160)}`);
      }
      for (const query of [`${name}=a&${name}=b`, `${name}[]=a`, `${name}[x]=a`]) {
        const answer = await get(operation, `${pathOf(operation, api.ana)}?${query}`);
        if (answer.status !== 400) wrong.push(`${named(operation)} ?${query}: ${answer.status}`);
      }
    }
    expect((await get(operation, `${pathOf(operation, api.ana)}?surprise=1`)).body.errors?.[0]?.field).toBe('surprise');
  }
  expect(wrong).toEqual([]);
});

it('an address that is no route, or too long, is 404 or 431, and says nothing of itself', async () => {
  const [operation] = api.operations as [Operation];
  for (const path of ['/', '/v1', '/v1/', '/v1/payments/', '//v1/payments', '/V1/payments', '/v1/payments/..%2f', '/.env', '/v1/payments/%2e%2e/admin', `/${'x'.repeat(10_000)}`]) {
    const answer = await get({ ...operation, method: 'GET' }, path);
    expect({ path: path.slice(0, 40), status: answer.status, code: answer.body.code }).toEqual({ path: path.slice(0, 40), status: 404, code: expect.stringMatching(/^(route_)?not_found$/) as unknown });
  }
  expect((await get({ ...operation, method: 'GET' }, `/${'x'.repeat(100_000)}`)).status).toBe(431);
});
