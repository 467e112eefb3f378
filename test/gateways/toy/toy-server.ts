import { httpStub, type Stub } from '../../support/wire.js';

type Payment = { ref: string; id: string; minor: number; cur: string; state: string; why?: string };

/** Toy itself: a token that begins with `no` is refused. `altered` changes the answers to look-ups. */
export async function startToy(): Promise<Stub & { payments: Payment[]; altered: { changes: Record<string, unknown> } }> {
  const payments: Payment[] = [];
  const altered = { changes: {} as Record<string, unknown> };
  const stub = await httpStub((response, request) => {
    const answer = (status: number, body: object): void => { response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)); };
    if (request.headers['x-toy-key'] === undefined) return answer(401, {});
    if (request.method === 'GET') {
      const payment = payments.find(({ ref }) => request.url === `/pay/${ref}`);
      return payment === undefined ? answer(404, {}) : answer(200, { ...payment, ...altered.changes });
    }
    const { id, minor, cur, token } = JSON.parse(stub.seen.at(-1)?.body ?? '{}') as { id: string; minor: number; cur: string; token: string };
    const known = payments.find((payment) => payment.id === id);
    const payment = known ?? { ref: `toy_${String(payments.length + 1).padStart(6, '0')}`, id, minor, cur, ...(token.startsWith('no') ? { state: 'no', why: 'not_today' } : { state: 'paid' }) };
    if (known === undefined) payments.push(payment);
    return answer(200, payment);
  });
  return { ...stub, payments, altered };
}
