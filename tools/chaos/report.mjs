// What a run says: how often each cell was tried, how payments ended, which invariants hold, and the first violation with all that is known of its payment.
import fs from 'node:fs';
import path from 'node:path';
import { OPERATIONS, ROUTES } from './cells.mjs';

/** A table of counts: what went wrong by where. */
export function cellTable(stories) {
  const columns = Object.keys(ROUTES).flatMap((psp) => OPERATIONS.filter((operation) => ROUTES[psp][operation]).map((operation) => `${psp} ${operation}`));
  const kinds = [...new Set(stories.map(({ kind }) => kind))].sort();
  const width = Math.max(...kinds.map((kind) => kind.length));
  const short = (column) => column.replace('mercadopago', 'mp').replace('pixelpay', 'pp').replace('culqi', 'cq').replace('orders', 'or').replace('webhook', 'hook').replace('confirm', 'conf').replace('capture', 'capt').replace('create', 'make').replace('refund', 'refd');
  const head = `${''.padEnd(width)} ${columns.map((column) => short(column).padStart(7)).join(' ')}`;
  const lines = kinds.map((kind) => `${kind.padEnd(width)} ${columns.map((column) => String(stories.filter((story) => story.kind === kind && `${story.psp} ${story.operation}` === column).length).padStart(7)).join(' ')}`);
  return [head, ...lines].join('\n');
}

/** `captured 120, failed 31`. */
export function tally(list) {
  const counts = new Map();
  for (const each of list) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`).join(', ');
}

/** All that is known of a payment. */
export async function everythingAbout(paymentId, seen) {
  const { world, byId, chargesOf, paymentsByShop } = seen;
  const payment = byId.get(paymentId);
  if (!payment) return `  ${paymentId}: the API does not know it`;
  const shop = [...paymentsByShop].find(([, payments]) => payments.includes(payment))?.[0];
  const timeline = (await shop.ask('GET', `/v1/payments/${paymentId}/timeline`))?.body?.data ?? [];
  const logs = Object.keys(world.members).flatMap((name) => fs.readFileSync(path.join(world.home, `${name}.log`), 'utf8').split('\n').filter((line) => line.includes(paymentId) || payment.attempts.some(({ id }) => line.includes(id))).slice(-20).map((line) => `${name}: ${line.slice(0, 400)}`));
  return [
    `  payment ${JSON.stringify(payment)}`, ...chargesOf(payment).map((charge) => `  book ${JSON.stringify(charge)}`),
    ...timeline.map((entry) => `  ${entry.at} ${entry.kind} ${entry.from ?? ''} → ${entry.to ?? ''} ${entry.cause} ${entry.detail ?? ''}`), ...logs.map((line) => `  ${line}`),
  ].join('\n');
}
