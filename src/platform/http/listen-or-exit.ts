import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Listens on every address; a busy port ends the process with one line that says what to do. */
export async function listenOrExit(app: NestFastifyApplication, { port }: { port: number }): Promise<void> {
  try {
    await app.listen(port, '0.0.0.0');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    process.stderr.write(code === 'EADDRINUSE' ? `Port ${port} is in use: stop what listens there, or set PORT.\n` : `Cannot listen on port ${port}: ${message}\n`);
    process.exit(1);
  }
}
