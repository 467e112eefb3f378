import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy before the database that counts the commands of a client, and strikes at one of them. */
export type StepProxy = {
  /** The database's URL through the proxy. */
  url: string;
  /** Commands since the last call of this. */
  takeCount(): number;
  /** Which of the commands that were counted were COMMITs. */
  commits(): readonly number[];
  /**
   * Strikes once, at the `step`th command from now: `before` it reaches the database, or `after` that has answered, which nobody hears. With `from` commands
   * are counted from the first that looks like it, which is the first.
   */
  strikeAt(step: number, when: 'before' | 'after', strike: () => void, from?: RegExp): void;
  /** Counts from the first command that looks like this. */
  countFrom(from: RegExp): void;
  close(): Promise<void>;
};

/** A packet of the MySQL protocol: three bytes of length, one of sequence, which is 0 where a command begins. */
const SEQUENCE = 3;
const COMMIT = Buffer.from('commit');

export async function startStepProxy(databaseUrl: string): Promise<StepProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let count = 0;
  let commits: number[] = [];
  let countsFrom: RegExp | null = null;
  let planned: { step: number; when: 'before' | 'after'; strike: () => void } | null = null;

  const server = createServer((client) => {
    const database = connect({ host: target.hostname, port: Number(target.port || 3306) });
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => { sockets.delete(socket); client.destroy(); database.destroy(); });
    }
    let isMute = false;
    client.on('data', (chunk: Buffer) => {
      if (countsFrom?.test(chunk.toString('latin1')) === true) countsFrom = null;
      if (chunk[SEQUENCE] === 0 && countsFrom === null) {
        count += 1;
        if (chunk.subarray(-COMMIT.length).equals(COMMIT)) commits.push(count);
      }
      const strikes = planned !== null && count >= planned.step ? planned : null;
      if (strikes !== null) planned = null;
      if (strikes?.when === 'before') {
        strikes.strike();
        return;
      }
      if (strikes?.when === 'after') {
        isMute = true;
        database.once('data', strikes.strike);
      }
      database.write(chunk);
    });
    database.on('data', (chunk: Buffer) => { if (!isMute) client.write(chunk); });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    takeCount: () => {
      const taken = count;
      count = 0;
      commits = [];
      return taken;
    },
    commits: () => commits,
    countFrom: (from) => {
      count = 0;
      commits = [];
      countsFrom = from;
    },
    strikeAt: (step, when, strike, from) => {
      count = 0;
      countsFrom = from ?? null;
      planned = { step, when, strike };
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
