// Whether a side's rows, the stub's books and what the load generator was answered tell the same story.

const ROWS = `select
  (select count(*) from {s}.payments) as payments, (select count(*) from {s}.payments where status = 'captured') as captured,
  (select coalesce(sum(captured_minor), 0) from {s}.payments) as capturedMinor, (select count(*) from {s}.payment_attempts) as attempts,
  (select count(*) from {s}.payment_transitions) as transitions, (select count(*) from {s}.idempotency_keys where state = 'done') as keysDone,
  (select count(*) from {s}.jobs where kind = 'look_up') as lookUps`;

/** The differences, in words; none is what should be. `made` is how many payments the load generator was told of. */
export async function mismatches({ connection, side, made }) {
  const [[row]] = await connection.query(ROWS.replaceAll('{s}', side.schema.name));
  const rows = Object.fromEntries(Object.entries(row).map(([name, count]) => [name, Number(count)]));
  const booked = await fetch(`${side.stubUrl}/books?key=${side.secretKey}`).then((response) => response.json());
  const expected = {
    payments: made, captured: made, capturedMinor: booked.amountMinor, attempts: made, keysDone: made, lookUps: 0,
  };
  const differing = Object.keys(expected).filter((name) => rows[name] !== expected[name]);
  const wrong = differing.map((name) => `${side.name}: ${name} is ${rows[name]}, not ${expected[name]}`);
  if (rows.transitions < made * 3) wrong.push(`${side.name}: ${rows.transitions} transitions of ${made} payments`);
  if (booked.attempts !== made || booked.charges !== made) {
    wrong.push(`${side.name}: the PSP booked ${booked.charges} charges of ${booked.attempts} attempts, not ${made}`);
  }
  return wrong;
}
