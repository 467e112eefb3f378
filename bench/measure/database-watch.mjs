// The bench's own connection to the server: counts its statements, and watches for transactions in which nothing happens.
import { setTimeout as sleep } from 'node:timers/promises';

const SAMPLE_EVERY_MS = 200;

// Between two statements a transaction is always idle for a moment; one whose connection has slept for a second waits for something else than us.
const OPEN_AND_ASLEEP = `select count(*) as atOnce, coalesce(sum(p.time >= 1), 0) as forASecond
  from information_schema.innodb_trx t join information_schema.processlist p on p.id = t.trx_mysql_thread_id where p.command = 'Sleep' and p.db = ?`;

/** How many statements clients have sent to the whole server, this one included. */
export async function statementsSoFar(connection) {
  const [[{ Value: count }]] = await connection.query("show global status like 'Questions'");
  return Number(count);
}

/** The server's process id, where it runs on this machine and lets us see it; else null. */
export async function pidOfServer(connection, read) {
  const [[{ file }]] = await connection.query('select @@pid_file as file');
  const pid = Number(read(file));
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}

/** Samples idle transactions of one schema until stopped: the most that were seen at once, and the most that had slept for a second or longer. */
export function watchIdleTransactions(connection, schema) {
  const seen = { samples: 0, atOnceMax: 0, forASecondMax: 0 };
  let isStopped = false;
  const watching = (async () => {
    for (; !isStopped; await sleep(SAMPLE_EVERY_MS)) {
      const [[{ atOnce, forASecond }]] = await connection.query(OPEN_AND_ASLEEP, [schema]);
      seen.samples += 1;
      seen.atOnceMax = Math.max(seen.atOnceMax, Number(atOnce));
      seen.forASecondMax = Math.max(seen.forASecondMax, Number(forASecond));
    }
  })();
  return {
    stop: async () => {
      isStopped = true;
      await watching;
      return seen;
    },
  };
}
