// What can go wrong, and where: every fault of the emulators on every route of every operation, and every blow to our own processes and database during
// each operation. A story draws one of these cells, all alike likely.

/** Faults of a PSP (src/sandbox/emulator/fault.ts), and a delay that is short enough for the answer to be in time. */
const FAULTS = [
  'hang_before_booking', 'hang_after_booking', 'reset_before_booking', 'reset_after_booking', 'error_before_booking', 'error_after_booking', 'rate_limited', 'truncated_body', 'cut_body', 'wrong_answer', 'slow_drip', 'delayed', 'delayed_short',
  'huge_body', 'html_body', 'empty_body', 'redirect',
];

/** Blows to what is ours, and to the PSP as a whole (its connections are refused for a while), while the operation runs. */
export const BLOWS = ['kill_service', 'stop_service', 'kill_worker', 'stop_worker', 'kill_sessions', 'kill_database', 'restart_database', 'stop_emulator'];

/** The routes that an operation calls; `look_up`: those that find out what became of it. */
const CULQI = { look_up: ['GET /v2/charges', 'GET /v2/charges/:id'] };
const PAYMENTS = { look_up: ['GET /v1/payments/search', 'GET /v1/payments/:id'] };
const ORDERS = { look_up: ['GET /v1/orders', 'GET /v1/orders/:id'] };
const PIXELPAY = { look_up: ['GET /v2/payments', 'GET /v2/payments/:id'] };
export const ROUTES = {
  culqi: { ...CULQI, create: ['POST /v2/charges'], confirm: ['POST /v2/charges'], capture: ['POST /v2/charges/:id/capture'], void: ['POST /v2/refunds'], refund: ['POST /v2/refunds', 'GET /v2/refunds'], webhook: CULQI.look_up },
  mercadopago: {
    ...PAYMENTS, create: ['POST /v1/payments'], confirm: ['POST /v1/payments'], capture: ['PUT /v1/payments/:id'], void: ['PUT /v1/payments/:id'], refund: ['POST /v1/payments/:id/refunds', 'GET /v1/payments/:id/refunds'], webhook: PAYMENTS.look_up,
  },
  orders: { ...ORDERS, create: ['POST /v1/orders'], confirm: ['POST /v1/orders'], capture: ['POST /v1/orders/:id/capture'], void: ['POST /v1/orders/:id/cancel'], refund: ['POST /v1/orders/:id/refund'], webhook: ORDERS.look_up },
  pixelpay: { ...PIXELPAY, create: ['POST /v2/payments'], confirm: ['POST /v2/payments'], refund: ['POST /v2/payments/:id/refunds', 'GET /v2/payments/:id/refunds/:id'], webhook: PIXELPAY.look_up },
};
export const OPERATIONS = ['create', 'confirm', 'capture', 'void', 'refund', 'webhook'];

/** What a wrong answer says instead, by what it lies about: the amount, the currency, or whose payment it is. */
const NOBODY = 'att_01jd0000000000000000000000';
const LIES = {
  culqi: { amount: { amount: 1 }, currency: { currency_code: 'USD' }, reference: { 'metadata.attempt_id': NOBODY } },
  mercadopago: { amount: { transaction_amount: 1, amount: 1 }, currency: { currency_id: 'USD' }, reference: { external_reference: NOBODY } },
  orders: { amount: { total_amount: '1.00' }, currency: { currency: 'USD' }, reference: { external_reference: NOBODY } },
  pixelpay: { amount: { amount: 1 }, currency: { currency: 'USD' }, reference: { order_id: NOBODY } },
};
export const LIE_KINDS = ['amount', 'currency', 'reference'];

/** Every cell: `where` is the call itself, or the look-ups that find out what became of it when its reply is lost; `ours` is a blow. */
export function allCells({ canStrikeServer }) {
  const blows = BLOWS.filter((blow) => canStrikeServer || !blow.endsWith('_database'));
  return Object.entries(ROUTES).flatMap(([psp, routes]) => OPERATIONS.filter((operation) => routes[operation]).flatMap((operation) => {
    const asked = [...new Set([...routes[operation], ...routes.look_up])];
    const calls = asked.filter((route) => !route.startsWith('GET'));
    const lookUps = asked.filter((route) => route.startsWith('GET'));
    return [
      ...FAULTS.flatMap((kind) => [['call', calls], ['look-up', lookUps]].filter(([, on]) => on.length > 0).map(([where, on]) => ({ psp, operation, kind, where, faults: on.map((route) => faultOf(route, kind)), blow: null }))),
      ...blows.map((blow) => ({ psp, operation, kind: blow, where: 'ours', faults: [], blow })),
    ];
  }));
}

/** `culqi refund reset_after_booking call`. */
export const nameOf = ({ psp, operation, kind, where }) => `${psp} ${operation} ${kind} ${where}`;

function faultOf(route, kind) {
  // A call may take 600 ms here (world.mjs).
  const delayMs = { delayed: 900, delayed_short: 300 }[kind];
  return { route, kind: kind === 'delayed_short' ? 'delayed' : kind, ...(kind === 'redirect' ? { changes: { location: 'http://127.0.0.1:9/' } } : {}), ...(delayMs === undefined ? {} : { delayMs }) };
}

/** The fault as it is ordered: a wrong answer with what it says instead. */
export function toldFault(fault, psp, lie) {
  return fault.kind === 'wrong_answer' ? { ...fault, changes: LIES[psp][lie] } : fault;
}
