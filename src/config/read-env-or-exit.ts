import type { Env } from './env.js';
import { EnvironmentError, readEnv } from './read-env.js';

/** The environment; a bad one ends the process with one line for each bad variable, never its value. */
export function readEnvOrExit(): Env {
  try {
    return readEnv(process.env);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    process.stderr.write(`${error.lines.join('\n')}\n`);
    process.exit(1);
  }
}
