import { CardDataScan, type ScanPlace } from './card-data/card-data-scan.js';
import { ormOptions } from './mikro-orm.config.js';
import { runCommand } from './platform/command.js';
import { Metrics } from './platform/metrics/metrics.js';
import { Tickets } from './tickets/tickets.js';

/** `npm run card-data:scan`: looks for card numbers in all that is stored, however old (docs/security.md). 1 when there were any. */
await runCommand(ormOptions, async ({ database, say }) => {
  const scan = new CardDataScan(database, new Tickets(database, new Metrics()));
  let found = 0;
  for (let place: ScanPlace | null = { since: new Date(0), table: 0, after: null }; place !== null;) {
    const portion = await scan.portion(place);
    found += portion.found;
    place = portion.next;
  }
  say(found === 0 ? 'No card numbers are stored.' : `Card numbers stood in ${found} rows: they are redacted, and each row has a ticket.`);
  return found === 0 ? 0 : 1;
});
