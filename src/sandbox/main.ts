import { isNativeError } from 'node:util/types';
import { startCulqiSandbox } from './culqi/culqi-sandbox.js';
import { startMercadopagoSandbox } from './mercadopago/mercadopago-sandbox.js';
import { startPixelpaySandbox } from './pixelpay/pixelpay-sandbox.js';

/**
 * The local emulators of the PSPs (`npm run start:sandbox`), each on a port of its own: SANDBOX_PORT for Culqi, default 4010; SANDBOX_PIXELPAY_PORT and
 * SANDBOX_MERCADOPAGO_PORT, default the two after it. SANDBOX_HOST, default 127.0.0.1; SANDBOX_DATA_DIR, default .data/sandbox.
 */
async function main(): Promise<void> {
  const culqiPort = portIn('SANDBOX_PORT', 4010);
  const pixelpayPort = portIn('SANDBOX_PIXELPAY_PORT', culqiPort === 0 ? 0 : culqiPort + 1);
  const mercadopagoPort = portIn('SANDBOX_MERCADOPAGO_PORT', culqiPort === 0 ? 0 : culqiPort + 2);
  const where = { host: process.env['SANDBOX_HOST'] ?? '127.0.0.1', dataDir: process.env['SANDBOX_DATA_DIR'] ?? '.data/sandbox' };
  const culqi = await startCulqiSandbox({ ...where, port: culqiPort });
  const pixelpay = await startPixelpaySandbox({ ...where, port: pixelpayPort });
  const mercadopago = await startMercadopagoSandbox({ ...where, port: mercadopagoPort });
  const stop = (): void => {
    void Promise.all([culqi.close(), pixelpay.close(), mercadopago.close()]).then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  console.log(`culqi sandbox listening on ${culqi.url}`);
  console.log(`pixelpay sandbox listening on ${pixelpay.url}`);
  console.log(`mercadopago sandbox listening on ${mercadopago.url}`);
}

function portIn(variable: string, usual: number): number {
  const port = Number(process.env[variable] ?? usual);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`${variable} must be a port number`);
  return port;
}

/** One line: the program is started by people and scripts that only need to know what to change. */
function explain(error: unknown): string {
  if (!isNativeError(error)) return 'unknown error';
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  return code === 'EADDRINUSE' ? `port ${port} is in use; set SANDBOX_PORT, SANDBOX_PIXELPAY_PORT or SANDBOX_MERCADOPAGO_PORT to another` : error.message;
}

main().catch((error: unknown) => {
  console.error(`sandbox: ${explain(error)}`);
  process.exit(1);
});
