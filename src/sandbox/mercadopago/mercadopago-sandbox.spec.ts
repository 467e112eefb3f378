import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type MercadopagoSandbox, startMercadopagoSandbox } from './mercadopago-sandbox.js';

const [SECRET, PUBLIC] = ['APP_USR-sec-abcdef', 'APP_USR-pub-abcdef'];
type Json = Record<string, never> & { id: string; status: string; status_detail: string };

let sandbox: MercadopagoSandbox;
beforeEach(async () => { sandbox = await startMercadopagoSandbox(); });
afterEach(() => sandbox.close());

const ask = async (method: string, path: string, body?: unknown, key = `k${Math.random()}`, secret = SECRET): Promise<{ status: number; json: Json; text: string }> => {
  const response = await fetch(`${sandbox.url}${path}`, {
    method, headers: { authorization: `Bearer ${secret}`, ...(key === '' ? {} : { 'x-idempotency-key': key }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: (text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : {}) as Json };
};
const mint = async (name = 'APRO', number = '4009175332806176'): Promise<string> => {
  const response = await fetch(`${sandbox.url}/v1/card_tokens?public_key=${PUBLIC}`, { method: 'POST', body: JSON.stringify({ card_number: number, security_code: '123', expiration_month: 11, expiration_year: 2030, cardholder: { name } }) });
  return (await response.json() as { id: string }).id;
};
const orderOf = (token: string, changes: object = {}) => ({
  type: 'online', processing_mode: 'automatic', capture_mode: 'automatic', total_amount: '58.80', external_reference: 'ord_77', payer: { email: 'buyer@example.pe' },
  transactions: { payments: [{ amount: '58.80', payment_method: { id: 'visa', type: 'credit_card', token, installments: 1 } }] }, config: { online: { transaction_security: { validation: 'on_fraud_risk' } } }, ...changes,
});
const order = async (name?: string, changes: object = {}, number?: string) => ask('POST', '/v1/orders', orderOf(await mint(name, number), changes));
const pay = async (changes: object = {}) => ask('POST', '/v1/payments', { transaction_amount: 58.8, token: await mint(), installments: 1, payment_method_id: 'visa', payer: { email: 'buyer@example.pe' }, external_reference: 'ord_78', ...changes });

describe('an order (mercadopago.md §5)', () => {
  it('is made, read, found and paid, its amounts as texts', async () => {
    const made = await order();
    expect(made).toMatchObject({ status: 201, json: { id: expect.stringMatching(/^ORD01/), status: 'processed', status_detail: 'accredited', total_amount: '58.80', external_reference: 'ord_77', country_code: 'PER', transactions: { payments: [{ id: expect.stringMatching(/^PAY01/), amount: '58.80' }] } } });
    expect((await ask('GET', `/v1/orders/${made.json.id}`)).json).toEqual(made.json);
    const range = `begin_date=${new Date(Date.now() - 60_000).toISOString()}&end_date=${new Date(Date.now() + 60_000).toISOString()}`;
    expect((await ask('GET', `/v1/orders?${range}&external_reference=ord_77`)).json).toMatchObject({ data: [{ id: made.json.id }], paging: { total: '1' } });
    expect((await ask('GET', `/v1/orders?${range}&external_reference=x`)).json).toMatchObject({ data: [], paging: { total: '0' } });
    expect((await ask('GET', '/v1/orders')).status).toBe(400);
    expect((await ask('GET', '/v1/orders/ORD01000000000000000000000009')).json).toMatchObject({ errors: [{ code: 'order_not_found' }] });
  });

  it.each([['CALL', 'required_call_for_authorize'], ['FUND', 'insufficient_amount'], ['SECU', 'bad_filled_card_data'], ['LOCK', 'card_disabled'], ['BLAC', 'rejected_other_reason']])('of %s fails with 402, and is there', async (name, detail) => {
    const { status, json } = await order(name);
    expect([status, json]).toMatchObject([402, { errors: [{ code: 'failed' }], data: { status: 'failed', status_detail: 'failed', transactions: { payments: [{ status_detail: detail }] } } }]);
    const { data } = json as unknown as { data: { id: string } };
    expect((await ask('GET', `/v1/orders/${data.id}`)).json).toMatchObject({ status: 'failed' });
  });

  it('needs its key: missing 400, the same again the first answer, another body 409', async () => {
    const body = orderOf(await mint());
    expect((await ask('POST', '/v1/orders', body, '')).json).toMatchObject({ errors: [{ code: 'empty_required_header' }] });
    const first = await ask('POST', '/v1/orders', body, 'same');
    expect((await ask('POST', '/v1/orders', body, 'same')).json).toEqual(first.json);
    expect(await ask('POST', '/v1/orders', { ...body, total_amount: '1.00' }, 'same')).toMatchObject({ status: 409, json: { errors: [{ code: 'idempotency_key_already_used' }] } });
    expect(sandbox.books.payments()).toHaveLength(1);
  });

  it('forgets its key after 24 hours', async () => {
    const clock = await withClock();
    const { json } = await order();
    const part = { transactions: [{ id: String(json.id).replace('ORD', 'PAY'), amount: '5.00' }] };
    for (let i = 0; i < 2; i++) expect((await ask('POST', `/v1/orders/${json.id}/refund`, part, 'same')).status).toBe(201);
    expect(sandbox.books.payments()[0]?.refunds).toHaveLength(1);
    clock.nowMs += DAY_MS;
    expect((await ask('POST', `/v1/orders/${json.id}/refund`, part, 'same')).status).toBe(201);
    expect(sandbox.books.payments()[0]?.refunds).toHaveLength(2);
  });

  it('that is cancelled says so in either spelling', async () => {
    sandbox.settings.change({ cancelWord: 'cancelled' });
    const { json } = await order('APRO', { capture_mode: 'manual' });
    expect((await ask('POST', `/v1/orders/${json.id}/cancel`)).json).toMatchObject({ status: 'cancelled' });
  });

  it.each([[{ total_amount: 58.8 }, 'property_value'], [{ total_amount: '58.8' }, 'invalid_total_amount'], [{ total_amount: '58.81' }, 'invalid_total_amount'], [{ payer: {} }, 'required_properties'], [{ type: 'qr' }, 'property_value']])('with %j is refused', async (changes, code) => {
    expect(await order('APRO', changes)).toMatchObject({ status: 400, json: { errors: [{ code }] } });
  });

  it('is captured, canceled and refunded in parts and whole', async () => {
    const [first, second] = [(await order('APRO', { capture_mode: 'manual' })).json, (await order('APRO', { capture_mode: 'manual' })).json];
    expect(first).toMatchObject({ status: 'action_required', status_detail: 'waiting_capture' });
    expect((await ask('POST', `/v1/orders/${first.id}/capture`)).json).toMatchObject({ status: 'processed' });
    expect((await ask('POST', `/v1/orders/${second.id}/cancel`)).json).toMatchObject({ status: 'canceled', status_detail: 'canceled_by_api' });
    expect(await ask('POST', `/v1/orders/${second.id}/cancel`)).toMatchObject({ status: 409, json: { errors: [{ code: 'order_already_canceled' }] } });
    expect(await ask('POST', `/v1/orders/${first.id}/cancel`)).toMatchObject({ status: 409, json: { errors: [{ code: 'cannot_cancel_order' }] } });
    const [payment] = (first as unknown as { transactions: { payments: { id: string }[] } }).transactions.payments;
    const part = await ask('POST', `/v1/orders/${first.id}/refund`, { transactions: [{ id: payment?.id, amount: '5.00' }] });
    expect([part.status, part.json]).toMatchObject([201, { status: 'processed', status_detail: 'partially_refunded', transactions: { refunds: [{ amount: '5.00', status: 'processed', transaction_id: payment?.id }] } }]);
    expect((await ask('POST', `/v1/orders/${first.id}/refund`, { transactions: [{ id: payment?.id, amount: '53.81' }] })).status).toBe(400);
    expect((await ask('POST', `/v1/orders/${first.id}/refund`)).json).toMatchObject({ status: 'refunded', transactions: { refunds: [{ amount: '5.00' }, { amount: '53.80' }] } });
    expect(await ask('POST', `/v1/orders/${first.id}/refund`)).toMatchObject({ status: 409, json: { errors: [{ code: 'order_already_refunded' }] } });
  });
});

/** Starts the emulator anew, with a clock that is set by hand. */
const withClock = async (): Promise<{ nowMs: number }> => {
  const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') };
  const started = await startMercadopagoSandbox({ nowMs: () => clock.nowMs });
  await sandbox.close();
  sandbox = started;
  return clock;
};
const control = (path: string, body: object) => fetch(`${sandbox.url}/_control/${path}`, { method: 'POST', body: JSON.stringify(body) });
const DAY_MS = 86_400_000;

describe('a payment (mercadopago.md §2)', () => {
  it('uses its token up: another one with it is 422', async () => {
    const token = await mint();
    expect((await pay({ token })).status).toBe(201);
    expect(await pay({ token })).toMatchObject({ status: 422, json: { cause: [{ code: 3003 }] } });
    expect(await ask('POST', '/v1/orders', orderOf(token))).toMatchObject({ status: 422, json: { errors: [{ code: 'invalid_card_token' }] } });
    expect(await pay({ token: 'x' })).toMatchObject({ status: 400, json: { cause: [{ code: 2062 }] } });
  });

  it('is live by its credentials', async () => {
    const body = async () => ({ transaction_amount: 5, token: await mint(), payment_method_id: 'visa', payer: { email: 'buyer@example.pe' } });
    expect((await ask('POST', '/v1/payments', await body(), 'k1', 'TEST-sec-abcdef')).json).toMatchObject({ live_mode: false });
    expect((await ask('POST', '/v1/payments', await body(), 'k2')).json).toMatchObject({ live_mode: true });
  });

  it('needs a key, its changes do not; another body under it is 409, or the first answer', async () => {
    const body = { transaction_amount: 5, token: await mint(), payment_method_id: 'visa', payer: { email: 'buyer@example.pe' }, capture: false };
    expect(await ask('POST', '/v1/payments', body, '')).toMatchObject({ status: 400, json: { cause: [{ code: 4292 }] } });
    const first = await ask('POST', '/v1/payments', body, 'same');
    expect((await ask('POST', '/v1/payments', { ...body, transaction_amount: 6 }, 'same')).status).toBe(409);
    sandbox.settings.change({ otherBody: 'first_answer' });
    expect((await ask('POST', '/v1/payments', { ...body, transaction_amount: 6 }, 'same')).json).toEqual(first.json);
    expect((await ask('PUT', `/v1/payments/${first.json.id}`, { capture: true }, '')).json).toMatchObject({ status: 'approved' });
  });

  it('is captured in part, where that is asked for', async () => {
    const { json } = await pay({ capture: false });
    expect((await ask('PUT', `/v1/payments/${json.id}`, { capture: true, transaction_amount: 58.81 })).status).toBe(400);
    expect((await ask('PUT', `/v1/payments/${json.id}`, { capture: true, transaction_amount: 12.34 })).json).toMatchObject({ status: 'approved', transaction_amount: 12.34, captured: true });
  });

  it.each([['MPE', 5], ['MLM', 7]] as const)('that is reserved in %s is released after %d days, and a voucher after two, a challenge after one', async (site, days) => {
    const clock = await withClock();
    sandbox.settings.change({ sites: { mp_abcdef: site } });
    const reserved = (await pay({ capture: false })).json.id;
    const challenged = (await pay({ token: await mint('APRO', '5483928164574623'), three_d_secure_mode: 'optional' })).json.id;
    const voucher = site === 'MPE' ? (await pay({ token: null, payment_method_id: 'pagoefectivo_atm' })).json.id : null;
    const shown = async (id: string) => (await ask('GET', `/v1/payments/${id}`)).json.status_detail;
    clock.nowMs += DAY_MS;
    expect([await shown(challenged), await shown(reserved)]).toEqual(['expired', 'pending_capture']);
    clock.nowMs += DAY_MS;
    if (voucher !== null) expect(await shown(voucher)).toBe('expired');
    clock.nowMs += (days - 2) * DAY_MS - 1;
    expect(await shown(reserved)).toBe('pending_capture');
    clock.nowMs += 1;
    expect(await shown(reserved)).toBe('expired');
  });

  it.each<[object, string, string, string]>([
    [{ three_d_secure_mode: 'mandatory', binary_mode: true }, 'APRO', '4009175332806176', 'cc_rejected_3ds_mandatory'], [{ three_d_secure_mode: 'mandatory' }, 'APRO', '5483928164574623', 'pending_challenge'],
    [{ three_d_secure_mode: 'optional', binary_mode: true }, 'APRO', '5483928164574623', 'accredited'], [{ binary_mode: true }, 'CONT', '4009175332806176', 'cc_rejected_other_reason'], [{}, 'CONT', '4009175332806176', 'pending_contingency'],
  ])('with %j of %s (%s) is %s', async (changes, name, number, detail) => {
    expect((await pay({ ...changes, token: await mint(name, number) })).json).toMatchObject({ status_detail: detail });
  });

  it('that is reviewed ends as it was asked for', async () => {
    sandbox.settings.change({ reviewAfterMs: 20 });
    const { json } = await pay({ token: await mint('CONT'), capture: false });
    for (let i = 0; i < 100 && sandbox.books.payments()[0]?.status === 'in_process'; i++) await sleep(10);
    expect((await ask('GET', `/v1/payments/${json.id}`)).json).toMatchObject({ status: 'authorized', status_detail: 'pending_capture' });
  });

  it('by debit card is one, and cannot be captured later', async () => {
    expect((await pay({ payment_method_id: 'debvisa' })).json).toMatchObject({ payment_type_id: 'debit_card', status: 'approved' });
    expect(await pay({ payment_method_id: 'debmaster', capture: false })).toMatchObject({ status: 400, json: { cause: [{ code: 2077 }] } });
  });

  it('of PagoEfectivo is of 5 to 10 000 soles, and Yape\'s code is 123456; both are Peru\'s', async () => {
    const voucher = async (amount: number) => (await pay({ token: null, payment_method_id: 'pagoefectivo_atm', transaction_amount: amount })).status;
    expect([await voucher(4.99), await voucher(5), await voucher(10_000), await voucher(10_000.01)]).toEqual([400, 201, 201, 400]);
    const yape = (otp: string) => fetch(`${sandbox.url}/platforms/pci/yape/v1/payment?public_key=${PUBLIC}`, { method: 'POST', body: JSON.stringify({ phoneNumber: '111111111', otp, requestId: 'r' }) });
    expect([(await yape('123456')).status, (await yape('123457')).status]).toEqual([201, 400]);
    sandbox.settings.change({ sites: { mp_abcdef: 'MLM' } });
    expect(await voucher(5)).toBe(400);
  });

  it('is searched for in pages that hold no more than MercadoPago likes, of the last three months unless said', async () => {
    const clock = await withClock();
    for (let i = 0; i < 5; i++) await pay();
    sandbox.settings.change({ pageRowsMax: 2 });
    const search = async (query: string) => (await ask('GET', `/v1/payments/search?${query}`)).json as unknown as { paging?: { total: number; limit: number }; results?: object[]; cause?: { code: number }[] };
    const page = await search('limit=100&offset=1');
    expect([page.paging, page.results?.length]).toEqual([{ total: 5, limit: 2, offset: 1 }, 2]);
    expect([(await search('limit=0')).cause?.[0]?.code, (await search('offset=-1')).cause?.[0]?.code, (await search('offset=999&limit=2')).cause?.[0]?.code, (await search('begin_date=x')).cause?.[0]?.code]).toEqual([1003, 1004, 1000, 1001]);
    clock.nowMs += 100 * DAY_MS;
    expect([(await search('')).paging?.total, (await search('begin_date=NOW-101DAYS')).paging?.total, (await search('begin_date=NOW-101DAYS&end_date=NOW-1DAYS')).paging?.total]).toEqual([0, 5, 5]);
    const range = `begin_date=${new Date(0).toISOString()}&end_date=${new Date(clock.nowMs).toISOString()}`;
    for (let i = 0; i < 3; i++) await order();
    expect((await ask('GET', `/v1/orders?${range}&page=2&page_size=100`)).json).toMatchObject({ data: [{}], paging: { total: '3', limit: '2', offset: '2' } });
    expect((await ask('GET', `/v1/orders?${range}&odd=1`)).status).toBe(400);
  });
});

describe('a refund (§3)', () => {
  it('is rejected where the balance is short, and refused in part where only all is given back', async () => {
    const { json } = await pay();
    sandbox.settings.change({ coversRefunds: false });
    expect(await ask('POST', `/v1/payments/${json.id}/refunds`, { amount: 5 })).toMatchObject({ status: 201, json: { status: 'rejected' } });
    sandbox.settings.change({ coversRefunds: true, partialRefunds: false });
    expect(await ask('POST', `/v1/payments/${json.id}/refunds`, { amount: 5 })).toMatchObject({ status: 400, json: { cause: [{ code: 3024 }] } });
    expect(await ask('POST', `/v1/payments/${json.id}/refunds`)).toMatchObject({ status: 201, json: { amount: 58.8, status: 'approved' } });
  });

  it('and a chargeback, and a review, are ended over the control API', async () => {
    sandbox.settings.change({ refundsInProcess: true, refundAfterMs: null, reviewAfterMs: null });
    const { json } = await pay();
    await ask('POST', `/v1/payments/${json.id}/refunds`, { amount: 5 });
    expect((await control('panel', { action: 'endRefund', id: json.id, detail: 'odd' })).status).toBe(400);
    expect((await control('panel', { action: 'endRefund', id: json.id, detail: 'rejected' })).status).toBe(200);
    expect(sandbox.books.payments()[0]?.refunds).toMatchObject([{ status: 'rejected' }]);
    for (const [action, detail] of [['chargeBack', ''], ['endChargeback', 'reimbursed']]) await control('panel', { action, id: json.id, detail });
    expect((await ask('GET', `/v1/payments/${json.id}`)).json).toMatchObject({ status: 'charged_back', status_detail: 'reimbursed' });
    const reviewed = await pay({ token: await mint('CONT') });
    await control('panel', { action: 'reject', id: reviewed.json.id, detail: 'cc_rejected_high_risk' });
    expect((await ask('GET', `/v1/payments/${reviewed.json.id}`)).json).toMatchObject({ status: 'rejected', status_detail: 'cc_rejected_high_risk' });
  });
});

it.each([['error_before_booking', 0], ['error_after_booking', 1]] as const)('a fault answers with any error of MercadoPago\'s (%s)', async (kind, count) => {
  const body = { code: '401001', message: 'The process has not been completed yet. Try again later.' };
  expect((await control('faults', { route: 'POST /v1/payments', kind, changes: { status: 409, body } })).status).toBe(201);
  expect(await pay()).toMatchObject({ status: 409, json: body });
  expect(sandbox.books.payments()).toHaveLength(count);
});

describe('what is told', () => {
  let receiver: Server;
  let heard: { url: URL; headers: Record<string, unknown>; body: string }[];
  beforeEach(async () => {
    heard = [];
    receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => { body += chunk.toString(); }).on('end', () => {
        heard.push({ url: new URL(request.url ?? '', 'http://shop'), headers: request.headers, body });
        response.end();
      });
    });
    await new Promise<void>((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
    sandbox.webhooks.change('mp_abcdef', { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook` });
  });
  afterEach(() => { receiver.close(); });
  const until = async (count: number): Promise<void> => { for (let i = 0; i < 200 && heard.length < count; i++) await sleep(10); };

  it('of an order stands under its id and its number, each signed', async () => {
    const { json } = await order();
    await until(2);
    expect(heard.map(({ url }) => [url.searchParams.get('type'), url.searchParams.get('data.id')]).sort()).toEqual([['order', json.id], ['payment', String(sandbox.books.payments()[0]?.id)]]);
    for (const { url, headers } of heard) {
      const [ts, v1] = String(headers['x-signature']).split(',').map((part) => part.split('=')[1]);
      expect(v1).toBe(createHmac('sha256', 'whsec-abcdef').update(`id:${url.searchParams.get('data.id')};request-id:${String(headers['x-request-id'])};ts:${ts};`).digest('hex'));
    }
    expect(JSON.parse(heard.find(({ url }) => url.searchParams.get('type') === 'order')?.body ?? '')).toMatchObject({ action: 'order.processed', type: 'order', data: { id: json.id, status: 'processed' } });
  });

  it('of a chargeback has an id that no float holds', async () => {
    const { json } = await pay();
    sandbox.panel.chargeBack(Number(json.id));
    await until(3);
    const told = heard.find(({ url }) => url.searchParams.get('type') === 'topic_chargebacks_wh');
    const id = told?.url.searchParams.get('data.id') ?? '';
    expect(id).toMatch(/^[0-9]{18}$/);
    expect(told?.body).toContain(`"id":${id},`);
    expect((await ask('GET', `/v1/chargebacks/${id}`)).json).toMatchObject({ id, payments: [json.id], amount: 58.8, documentation_status: 'pending', coverage_applied: null });
    expect((await ask('GET', `/v1/chargebacks/search?payment_id=${json.id}`)).json).toMatchObject({ results: [{ id }] });
    sandbox.panel.endChargeback(Number(json.id), 'reimbursed');
    expect((await ask('GET', `/v1/chargebacks/${id}`)).json).toMatchObject({ coverage_applied: true, documentation_required: false });
    expect((await ask('GET', `/v1/payments/${json.id}`)).json).toMatchObject({ status: 'charged_back', status_detail: 'reimbursed' });
  });
});

describe('the bank\'s page', () => {
  it.each([['pass', 'approved', 'accredited'], ['fail', 'rejected', 'cc_rejected_3ds_challenge']])('ends the challenge as the buyer says: %s', async (outcome, status, detail) => {
    const { json } = await pay({ token: await mint('APRO', '5483928164574623'), three_d_secure_mode: 'optional' });
    const { external_resource_url: url } = (json as unknown as { three_ds_info: { external_resource_url: string } }).three_ds_info;
    const page = await fetch(url, { method: 'POST', body: new URLSearchParams({ creq: 'eyJ0' }) });
    expect(await page.text()).toContain('is it you?');
    const over = await fetch(`${url}/end`, { method: 'POST', body: new URLSearchParams({ outcome }) });
    expect(await over.text()).toContain('"COMPLETE"');
    expect((await ask('GET', `/v1/payments/${json.id}`)).json).toMatchObject({ status, status_detail: detail });
    expect((await fetch(url)).status).toBe(404);
  });
});

describe('the settlement report (§9)', () => {
  const REPORT = '/v1/account/settlement_report';
  const day = { begin_date: new Date(Date.now() - 3_600_000).toISOString(), end_date: new Date(Date.now() + 3_600_000).toISOString() };
  const files = async (): Promise<string[]> => ((await ask('GET', `${REPORT}/list`)).json as unknown as { file_name: string }[]).map(({ file_name: name }) => name);

  it('is asked for, waited for, listed and fetched; fees are negative, and columns go by name', async () => {
    expect((await ask('POST', REPORT, day)).status).toBe(400);
    expect((await ask('POST', `${REPORT}/config`, { file_name_prefix: 'liq', separator: ';' })).status).toBe(201);
    sandbox.settings.change({ reportAfterMs: 200 });
    const { json: paid } = await pay({ application_fee: 1.5 });
    await ask('POST', `/v1/payments/${paid.id}/refunds`, { amount: 5 });
    const { status, json: task } = await ask('POST', REPORT, day);
    expect([status, task.status, await files()]).toEqual([202, 'pending', []]);
    await sleep(250);
    expect((await ask('GET', `${REPORT}/task/${task.id}`)).json.status).toBe('done');
    const [file = ''] = await files();
    expect(file).toMatch(/^liq-.*\.csv$/);
    const [head = '', ...rows] = (await ask('GET', `${REPORT}/${file}`)).text.trim().split('\n');
    const read = rows.map((row) => Object.fromEntries(row.split(';').map((value, at) => [head.split(';')[at], value])) as Record<string, string>);
    expect(read).toMatchObject([
      { TRANSACTION_TYPE: 'SETTLEMENT', EXTERNAL_REFERENCE: 'ord_78', SOURCE_ID: String(paid.id), TRANSACTION_AMOUNT: '58.80', FEE_AMOUNT: '-2.77', MKP_FEE_AMOUNT: '-1.50', SETTLEMENT_NET_AMOUNT: '54.53', TRANSACTION_DATE: expect.stringMatching(/-04:00$/) },
      { TRANSACTION_TYPE: 'REFUND', TRANSACTION_AMOUNT: '-5.00', FEE_AMOUNT: '0.00' },
    ]);
  });

  it('has a payment that is late in the file of the next day', async () => {
    sandbox.settings.change({ settleLate: ['ord_78'] });
    await ask('POST', `${REPORT}/config`, { columns: [{ key: 'EXTERNAL_REFERENCE' }] });
    await pay();
    const next = { begin_date: new Date(Date.parse(day.begin_date) + 86_400_000).toISOString(), end_date: new Date(Date.parse(day.end_date) + 86_400_000).toISOString() };
    for (const range of [day, next]) await ask('POST', REPORT, range);
    const [today, tomorrow] = await files();
    expect((await ask('GET', `${REPORT}/${today}`)).text).toBe('EXTERNAL_REFERENCE\n');
    expect((await ask('GET', `${REPORT}/${tomorrow}`)).text).toBe('EXTERNAL_REFERENCE\nord_78\n');
  });
});

it('nothing is given back when it is too late: 90 days in Peru, 180 in Mexico, 90 of an order (§3)', async () => {
  let nowMs = Date.parse('2026-01-01T00:00:00Z');
  const old = await startMercadopagoSandbox({ nowMs: () => nowMs });
  [sandbox] = [old, await sandbox.close()];
  const made = [(await pay()).json.id, (await order()).json.id];
  sandbox.settings.change({ sites: { mp_abcdef: 'MLM' } });
  const mexican = (await pay()).json.id;
  const refund = (id: string) => ask('POST', id.toString().startsWith('ORD') ? `/v1/orders/${id}/refund` : `/v1/payments/${id}/refunds`);
  nowMs += 91 * 86_400_000;
  expect(await refund(made[0] ?? '')).toMatchObject({ status: 404, json: { cause: [{ code: 15_016 }] } });
  expect(await refund(made[1] ?? '')).toMatchObject({ status: 409, json: { errors: [{ code: 'cannot_refund_order' }] } });
  expect((await refund(mexican)).status).toBe(201);
});

it('a marketplace cannot keep more than is paid', async () => {
  expect(await pay({ application_fee: 58.81 })).toMatchObject({ status: 400, json: { cause: [{ code: 4038 }] } });
});
