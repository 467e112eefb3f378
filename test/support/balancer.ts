import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const CHECK_EVERY_MS = 100;

type Backend = { url: string; isReady: boolean };

/**
 * A small balancer, as nginx or a cloud's would do it: asks each instance whether it is ready, keeps connections open, sends each request to one that
 * was ready when last asked, and tries another only when the first surely got nothing (no connection). Whatever else fails is the client's 502.
 */
export async function startBalancer(urls: readonly string[]) {
  const backends: Backend[] = urls.map((url) => ({ url, isReady: false }));
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  let stopped = false;

  const watch = async (backend: Backend): Promise<void> => {
    for (; !stopped; await sleep(CHECK_EVERY_MS)) {
      backend.isReady = await fetch(`${backend.url}/health/ready`, { signal: AbortSignal.timeout(1_000) }).then(({ status }) => status === 200, () => false);
    }
  };

  const forward = (incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse, tried: readonly Backend[]): void => {
    const candidates = backends.filter((backend) => backend.isReady && !tried.includes(backend));
    const backend = candidates[turn++ % Math.max(1, candidates.length)];
    if (backend === undefined) {
      outgoing.writeHead(502).end('no instance is ready');
      return;
    }
    let connected = false;
    const request = send(new URL(incoming.url ?? '/', backend.url), { method: incoming.method, headers: { ...incoming.headers, connection: 'keep-alive' }, agent });
    request.on('socket', (socket) => {
      connected = !socket.connecting;
      if (socket.connecting) socket.once('connect', () => { connected = true; });
    });
    request.on('response', (answer) => {
      const headers = { ...answer.headers };
      delete headers.connection; // of this hop alone
      delete headers['keep-alive'];
      outgoing.writeHead(answer.statusCode ?? 502, headers);
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (!connected) forward(incoming, body, outgoing, [...tried, backend]);
      else outgoing.writeHead(502).end(`the instance broke off: ${error.code ?? error.message}`);
    });
    request.end(body);
  };

  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => { forward(incoming, Buffer.concat(chunks), outgoing, []); });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const watching = backends.map(watch);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ready: () => backends.filter(({ isReady }) => isReady).length,
    close: async () => {
      stopped = true;
      await Promise.all(watching);
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
