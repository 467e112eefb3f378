// What a run says: how often each cell was met, how payments ended, which invariants hold, and the first violation with all that is known of its payment.
import fs from 'node:fs';
import path from 'node:path';
import { nameOf, OPERATIONS, ROUTES } from './cells.mjs';

const NAMED_MAX = 12;

/** A table of counts: what went wrong by where, on the call and on its look-ups (`12/9`); a blow has one count. */
export function cellTable(stories) {
  const columns = Object.keys(ROUTES).flatMap((psp) => OPERATIONS.filter((operation) => ROUTES[psp][operation]).map((operation) => `${psp} ${operation}`));
  const kinds = [...new Set(stories.map(({ kind }) => kind))].sort();
  const width = Math.max(0, ...kinds.map((kind) => kind.length));
  const short = (column) => column.replace('mercadopago', 'mp').replace('pixelpay', 'pp').replace('culqi', 'cq').replace('orders', 'or').replace('webhook', 'hook').replace('confirm', 'conf').replace('capture', 'capt').replace('create', 'make').replace('refund', 'refd');
  const counts = new Map();
  for (const { psp, operation, kind, where } of stories) {
    const name = `${kind} ${psp} ${operation} ${where}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const cell = (kind, column) => {
    const [call, lookUp, ours] = ['call', 'look-up', 'ours'].map((where) => counts.get(`${kind} ${column} ${where}`) ?? 0);
    return stories.some((story) => story.kind === kind && story.where === 'ours') ? String(ours) : `${call}/${lookUp}`;
  };
  const head = `${''.padEnd(width)} ${columns.map((column) => short(column).padStart(7)).join(' ')}`;
  return [head, ...kinds.map((kind) => `${kind.padEnd(width)} ${columns.map((column) => cell(kind, column).padStart(7)).join(' ')}`)].join('\n');
}

/** The cells that no story met, by name. */
export function neverMet(cells, stories) {
  const met = new Set(stories.map(nameOf));
  const names = cells.map(nameOf).filter((name) => !met.has(name));
  if (names.length === 0) return `Each of the ${cells.length} cells was met.`;
  return `${names.length} of ${cells.length} cells were never met: ${names.slice(0, NAMED_MAX).join('; ')}${names.length > NAMED_MAX ? `; and ${names.length - NAMED_MAX} more` : ''}.`;
}

/** `captured 120, failed 31`. */
export function tally(list) {
  const counts = new Map();
  for (const each of list) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`).join(', ');
}

/** All that is known of a payment. */
export async function everythingAbout(paymentId, seen) {
  const { world, byId, chargesOf, shopOf, tickets } = seen;
  const payment = byId.get(paymentId);
  if (!payment) return `  ${paymentId}: the API does not know it`;
  const shop = shopOf.get(paymentId);
  const timeline = (await shop.ask('GET', `/v1/payments/${paymentId}/timeline`, { service: 0 }) ?? await shop.ask('GET', `/v1/payments/${paymentId}/timeline`, { service: 1 }))?.body?.data ?? [];
  const logs = Object.keys(world.members).flatMap((name) => fs.readFileSync(path.join(world.home, `${name}.log`), 'utf8').split('\n').filter((line) => line.includes(paymentId) || payment.attempts.some(({ id }) => line.includes(id))).slice(-20).map((line) => `${name}: ${line.slice(0, 400)}`));
  return [
    `  payment ${JSON.stringify(payment)}`, ...chargesOf(payment).map((charge) => `  book ${JSON.stringify(charge)}`), ...tickets.filter(({ payment_id: id }) => id === paymentId).map(({ kind, status, evidence }) => `  ticket ${kind} (${status}) ${evidence}`),
    ...timeline.map((entry) => `  ${entry.at} ${entry.kind} ${entry.from ?? ''} → ${entry.to ?? ''} ${entry.cause} ${entry.detail ?? ''}`), ...logs.map((line) => `  ${line}`),
  ].join('\n');
}
