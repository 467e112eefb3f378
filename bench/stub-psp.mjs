// A PSP that takes every charge after a fixed time, so that both sides pay the same for a call. Not the emulator of src/sandbox, which does far more.
import http from 'node:http';

/** What one merchant was charged: attempts by id with how often each came, and the sum in minor units. */
const books = new Map();
const charges = [];
let delayMs = Number(process.env.STUB_DELAY_MS ?? 20);
let lastCharge = 0;

const bookOf = (key) => books.get(key) ?? books.set(key, { attempts: new Map(), amountMinor: 0 }).get(key);

function book(key, request) {
  const merchant = bookOf(key);
  const { attempt_id: attemptId } = request.metadata;
  merchant.attempts.set(attemptId, (merchant.attempts.get(attemptId) ?? 0) + 1);
  merchant.amountMinor += request.amount;
  const charge = chargeOf(request);
  if (delayMs >= 1000) charges.push({ key, charge }); // only a caller who gave up looks them up
  return charge;
}

/** A captured charge in Culqi's shape (psp/culqi.md §1.6). */
function chargeOf({ amount, currency_code, email, source_id, description, metadata }) {
  const id = (++lastCharge).toString(36).padStart(16, '0');
  const fee = Math.round(amount * 0.0399);
  const tax = Math.round(fee * 0.18);
  return {
    duplicated: false, object: 'charge', id: `chr_test_${id}`, creation_date: Date.now(), amount, amount_refunded: 0, current_amount: amount,
    installments: 1, installments_amount: amount, currency_code, email, description,
    source: {
      object: 'token', id: source_id, type: 'card', card_number: '411111******1111', last_four: '1111', active: true,
      iin: {
        object: 'iin', bin: '411111', card_brand: 'Visa', card_type: 'credito', issuer: { name: 'BANCO X', country: 'PERU', country_code: 'PE' },
      },
    },
    outcome: { type: 'venta_exitosa', code: 'AUT0000', merchant_message: 'La venta ha sido autorizada.', user_message: 'Su compra ha sido exitosa.' },
    fraud_score: 12, dispute: false, capture: true, reference_code: id.slice(-10), authorization_code: id.slice(-6), metadata,
    total_fee: fee + tax, fee_details: { fixed_fee: {}, variable_fee: { currency_code, commision: 0.0399, total: fee } }, total_fee_taxes: tax,
    transfer_amount: amount - fee - tax, paid: false, statement_descriptor: 'CULQI*', transfer_id: null, capture_date: null,
  };
}

function reply(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

const routes = {
  'POST /v2/charges': (key, body, response) => {
    const charge = book(key, JSON.parse(body));
    setTimeout(() => reply(response, 201, charge), delayMs);
  },
  'GET /v2/charges': (key, _body, response) => {
    reply(response, 200, { data: charges.filter((each) => each.key === key).map(({ charge }) => charge), paging: { next: null, cursors: {} } });
  },
  /** `?key=`: the books of one merchant. */
  'GET /books': (_key, _body, response, query) => {
    const { attempts, amountMinor } = bookOf(query.get('key'));
    reply(response, 200, { attempts: attempts.size, charges: [...attempts.values()].reduce((sum, times) => sum + times, 0), amountMinor });
  },
  /** `?ms=`: how long charges take from now on. */
  'POST /delay': (_key, _body, response, query) => {
    delayMs = Number(query.get('ms'));
    reply(response, 200, { delayMs });
  },
};

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://stub');
  const route = routes[`${request.method} ${url.pathname}`];
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    if (!route) return reply(response, 404, { object: 'error', type: 'resource_not_found' });
    route(request.headers.authorization?.slice('Bearer '.length), Buffer.concat(chunks).toString(), response, url.searchParams);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
