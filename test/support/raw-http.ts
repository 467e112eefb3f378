import { connect, type Socket } from 'node:net';

/** An answer as it came; status 0: the connection ended without one. */
export type RawAnswer = { status: number; headers: Record<string, string>; text: string; body: { code?: string; errors?: { field: string }[] } };

/** One request as bytes on a connection of its own: what no HTTP client would send. `write` may send more, or slowly. */
export function sendRaw(url: string, head: string | Buffer, write: (socket: Socket) => void = () => undefined): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(head);
      write(socket);
    });
    const chunks: Buffer[] = [];
    const done = (): void => {
      socket.destroy();
      resolve(parsed(Buffer.concat(chunks).toString('latin1')));
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (isWhole(Buffer.concat(chunks).toString('latin1'))) done();
    });
    socket.on('error', done).on('close', done).setTimeout(30_000, done);
  });
}

/** The head of a request as text; a header given twice is sent twice. */
export function headOf(method: string, path: string, headers: readonly (readonly [string, string])[]): string {
  return `${method} ${path} HTTP/1.1\r\nHost: service\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  const length = Number(/^content-length: (\d+)\r$/im.exec(text)?.[1] ?? NaN);
  return end >= 0 && text.length >= end + 4 + length;
}

function parsed(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const body = rest.join('\r\n\r\n');
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  let json: RawAnswer['body'] = {};
  try {
    json = JSON.parse(Buffer.from(body, 'latin1').toString('utf8')) as RawAnswer['body'];
  } catch {
    // no JSON: the test sees it by its code
  }
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0), headers, text: body, body: json };
}
