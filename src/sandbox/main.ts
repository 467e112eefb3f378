import { isNativeError } from 'node:util/types';
import { startCulqiSandbox } from './culqi/culqi-sandbox.js';

/** The local emulators of the PSPs (`npm run start:sandbox`). SANDBOX_PORT, default 4010; SANDBOX_HOST, default 127.0.0.1; SANDBOX_DATA_DIR, default .data/sandbox. */
async function main(): Promise<void> {
  const port = Number(process.env['SANDBOX_PORT'] ?? 4010);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('SANDBOX_PORT must be a port number');
  const culqi = await startCulqiSandbox({ port, host: process.env['SANDBOX_HOST'] ?? '127.0.0.1', dataDir: process.env['SANDBOX_DATA_DIR'] ?? '.data/sandbox' });
  const stop = (): void => {
    void culqi.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  console.log(`culqi sandbox listening on ${culqi.url}`);
}

/** One line: the program is started by people and scripts that only need to know what to change. */
function explain(error: unknown): string {
  if (!isNativeError(error)) return 'unknown error';
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  return code === 'EADDRINUSE' ? `port ${port} is in use; set SANDBOX_PORT to another` : error.message;
}

main().catch((error: unknown) => {
  console.error(`culqi sandbox: ${explain(error)}`);
  process.exit(1);
});
