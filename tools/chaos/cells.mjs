// What can go wrong, and where: every fault of the emulators on every route of every operation, and every blow to our own processes and database during
// each operation. A story draws one of these cells, all alike likely.

/** Faults of a PSP (src/sandbox/emulator/fault.ts). A wrong answer is changed in its amount. */
const FAULTS = [
  'hang_before_booking', 'hang_after_booking', 'reset_before_booking', 'reset_after_booking', 'error_before_booking', 'error_after_booking', 'rate_limited', 'truncated_body', 'cut_body', 'wrong_answer', 'slow_drip', 'delayed',
  'huge_body', 'html_body', 'empty_body', 'redirect',
];

/** Blows to what is ours, while the operation runs. */
export const BLOWS = ['kill_service', 'stop_service', 'kill_worker', 'stop_worker', 'kill_sessions', 'kill_database'];

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

/** The member that tells an amount, by PSP: what a wrong answer changes. */
const AMOUNTS = { culqi: 'amount', mercadopago: 'transaction_amount', orders: 'total_amount', pixelpay: 'amount' };

/** Every cell: `where` is the call itself, or the look-ups that find out what became of it when its reply is lost; `ours` is a blow. */
export function allCells({ canStrikeServer }) {
  const blows = BLOWS.filter((blow) => canStrikeServer || blow !== 'kill_database');
  return Object.entries(ROUTES).flatMap(([psp, routes]) => OPERATIONS.filter((operation) => routes[operation]).flatMap((operation) => {
    const asked = [...new Set([...routes[operation], ...routes.look_up])];
    const calls = asked.filter((route) => !route.startsWith('GET'));
    const lookUps = asked.filter((route) => route.startsWith('GET'));
    return [
      ...FAULTS.flatMap((kind) => [['call', calls], ['look-up', lookUps]].filter(([, on]) => on.length > 0).map(([where, on]) => ({ psp, operation, kind, where, faults: on.map((route) => faultOf(psp, route, kind)), blow: null }))),
      ...blows.map((blow) => ({ psp, operation, kind: blow, where: 'ours', faults: [], blow })),
    ];
  }));
}

function faultOf(psp, route, kind) {
  const changes = { wrong_answer: { [AMOUNTS[psp]]: 1 }, redirect: { location: 'http://127.0.0.1:9/' } }[kind];
  return { route, kind, ...(changes ? { changes } : {}), ...(kind === 'delayed' ? { delayMs: 900 } : {}) };
}
