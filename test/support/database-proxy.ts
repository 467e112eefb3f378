import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the proxy does with a COMMIT: let it through and hold its answer back, or let it through and cut the connection before the answer. */
export type CommitFate = 'hold_answer' | 'cut_before_answer';

/** A TCP proxy before the database that sees statements go by. */
export type DatabaseProxy = {
  /** The database's URL through the proxy. */
  url: string;
  /** Strikes the next COMMIT of a transaction that holds a statement like this, once. Resolves when it has. */
  strikeCommit(statement: RegExp, fate: CommitFate): Promise<void>;
  /** The statements that went by since the last call of this. */
  takeStatements(): string[];
  /** Lets go of the answers that were held back. */
  release(): void;
  /** Has every statement that writes, or that is like these, refused with this error of the server's, or none any more. */
  refuseWrites(errno: number | null, statements?: RegExp): void;
  /** Statements like this are kept from the database, and not answered; null for none any more. */
  silence(statement: RegExp | null): void;
  /** Makes the database unreachable, or reachable again. */
  setDown(down: boolean): void;
  /** Every packet to the database is so late, in order; 0 again for none. */
  delay(ms: number): void;
  /** Nothing goes by any more, either way, and nobody is told: new connections are taken and hear nothing. */
  freeze(): void;
  /** What was held back goes on. */
  thaw(): void;
  close(): Promise<void>;
};

/** A packet of the MySQL protocol: three bytes of length, one of sequence, then the command; 3 is a query. */
const HEADER_BYTES = 4;
const QUERY = 3;

function statementIn(chunk: Buffer): string | null {
  if (chunk[3] !== 0 || chunk[HEADER_BYTES] !== QUERY) return null;
  // To MySQL 8 the driver sends query attributes first: none, in one set.
  const hasAttributes = chunk[HEADER_BYTES + 1] === 0 && chunk[HEADER_BYTES + 2] === 1;
  return chunk.toString('utf8', HEADER_BYTES + (hasAttributes ? 3 : 1));
}

/** The server's answer to a command that it refuses. */
function errorPacket(errno: number): Buffer {
  const body = Buffer.concat([Buffer.from([0xff, errno & 0xff, errno >> 8]), Buffer.from('#HY000refused by the proxy')]);
  return Buffer.concat([Buffer.from([body.length, 0, 0, 1]), body]);
}

export async function startDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let strike: { statement: RegExp; fate: CommitFate; struck: () => void } | null = null;
  let held: (() => void)[] = [];
  let statements: string[] = [];
  let isDown = false;
  let refusal: { errno: number; statements: RegExp } | null = null;
  let silenced: RegExp | null = null;
  let delayMs = 0;
  let isFrozen = false;

  const server = createServer((client) => {
    if (isDown) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const database = connect({ host: target.hostname, port: Number(target.port || 3306) });
    let holding = false;
    let transaction: string[] = [];
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => { sockets.delete(socket); client.destroy(); database.destroy(); });
    }
    const forward = (chunk: Buffer): void => {
      const statement = statementIn(chunk);
      if (statement !== null) statements.push(statement);
      if (refusal !== null && statement !== null && refusal.statements.test(statement)) {
        client.write(errorPacket(refusal.errno));
        return;
      }
      if (silenced !== null && statement !== null && silenced.test(statement)) return;
      if (statement === 'begin') transaction = [];
      else if (statement !== null) transaction.push(statement);
      const strikes = strike !== null && statement === 'commit' && transaction.some((earlier) => strike?.statement.test(earlier)) ? strike : null;
      if (strikes !== null) {
        strike = null;
        holding = true;
        // The database has committed once it answers.
        database.once('data', () => {
          if (strikes.fate === 'cut_before_answer') client.destroy();
          strikes.struck();
        });
      }
      database.write(chunk);
    };
    let waiting = 0;
    let turn = Promise.resolve();
    client.on('data', (chunk: Buffer) => {
      if (delayMs === 0 && waiting === 0) {
        forward(chunk);
        return;
      }
      const dueMs = performance.now() + delayMs;
      waiting += 1;
      turn = turn.then(() => sleep(Math.max(0, dueMs - performance.now()))).then(() => {
        waiting -= 1;
        forward(chunk);
      });
    });
    database.on('data', (chunk: Buffer) => {
      if (holding) held.push(() => { holding = false; client.write(chunk); });
      else client.write(chunk);
    });
    if (isFrozen) for (const socket of [client, database]) socket.pause();
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    strikeCommit: (statement, fate) => new Promise((resolve, reject) => {
      const missed = setTimeout(() => { reject(new Error('no such transaction was committed')); }, 10_000);
      strike = { statement, fate, struck: () => { clearTimeout(missed); resolve(); } };
    }),
    takeStatements: () => {
      const taken = statements;
      statements = [];
      return taken;
    },
    refuseWrites: (errno, like = /^(insert|update|delete)/i) => { refusal = errno === null ? null : { errno, statements: like }; },
    silence: (statement) => { silenced = statement; },
    setDown: (down) => {
      isDown = down;
      if (down) for (const socket of sockets) socket.destroy();
    },
    delay: (ms) => { delayMs = ms; },
    freeze: () => {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      isFrozen = false;
      for (const socket of sockets) socket.resume();
    },
    release: () => {
      for (const letGo of held) letGo();
      held = [];
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
