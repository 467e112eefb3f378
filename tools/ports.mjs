// TCP ports on this machine: free ones, busy ones, and whether a MySQL server answers.
import net from 'node:net';
import { Trouble } from './say.mjs';

/** `wanted` if it is free, else any free port; 0 asks for any. */
export async function freePort(wanted = 0) {
  const listen = (port) => new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1' }, () => {
      const { port: got } = server.address();
      server.close(() => resolve(got));
    });
  });
  return (await listen(wanted)) ?? (await listen(0));
}

/** The port that the environment variable names, or the usual one; it must be free. */
export async function portOf(variable, usual) {
  const text = process.env[variable] || String(usual);
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new Trouble(`${variable} must be a port number from 1 to 65535`);
  if (await isBusy(port)) {
    throw new Trouble(`port ${port} is in use: stop what listens there, or choose another: ${variable}=${await freePort(port + 1)} npm run up`);
  }
  return port;
}

/** Whether somebody listens on the port already, on whatever address of this machine. */
function isBusy(port) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(true) : reject(new Trouble(`port ${port} cannot be used: ${error.code}`))));
    server.listen({ port }, () => server.close(() => resolve(false)));
  });
}

/** Whether a MySQL or MariaDB server speaks its greeting within `timeoutMs`. */
export async function greets(host, port, timeoutMs) {
  return (await greeting(host, port, timeoutMs)) === undefined;
}

/** Undefined when a MySQL or MariaDB server speaks its greeting within `timeoutMs`, else why not. */
export function greeting(host, port, timeoutMs) {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (reason) => {
      socket.destroy();
      resolve(reason);
    };
    socket.setTimeout(timeoutMs, () => end(`no answer within ${timeoutMs / 1000} s`));
    socket.once('error', (error) => end(error.code ?? error.message));
    socket.once('close', () => end('the connection was closed'));
    socket.once('data', (bytes) => end(bytes[4] === 10 ? undefined : 'what answers is not a MySQL server')); // protocol version 10
  });
}
