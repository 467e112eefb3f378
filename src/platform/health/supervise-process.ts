import { Logger, type INestApplicationContext } from '@nestjs/common';

const SIGNALS = ['SIGTERM', 'SIGINT'];

/**
 * Ends the process well: told to stop, it finishes what is in hand and exits with 0, or after `shutdownMs` with 1, whatever is left.
 * A background failure that nobody caught is logged and the process goes on; an exception that nobody caught leaves its state in doubt and ends it.
 */
export function superviseProcess(app: INestApplicationContext, { shutdownMs }: { shutdownMs: number }): void {
  const logger = new Logger('Process');
  app.enableShutdownHooks(SIGNALS, { useProcessExit: true });
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      logger.log({ msg: 'stopping', signal });
      setTimeout(() => {
        logger.error({ msg: 'stopped with work in hand', shutdownMs });
        process.exit(1);
      }, shutdownMs).unref();
    });
  }
  process.on('unhandledRejection', (reason) => { logger.error({ msg: 'a failure that nobody caught', alert: true, err: reason }); });
  process.on('uncaughtException', (error) => {
    logger.fatal({ msg: 'an exception that nobody caught', alert: true, err: error });
    process.exit(1);
  });
}
