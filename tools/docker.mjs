// The `db` service of docker-compose.yml, where a Docker engine runs.
import { spawnSync } from 'node:child_process';
import { freePort } from './ports.mjs';
import { runAtEnd, start } from './processes.mjs';
import { ROOT } from './project.mjs';
import { step } from './say.mjs';

/** Whether an engine answers soon; the client alone is no engine. */
export function dockerRuns() {
  const succeeds = (...args) => spawnSync('docker', args, { stdio: 'ignore', timeout: 4000 }).status === 0;
  return succeeds('info') && succeeds('compose', 'version');
}

/**
 * Starts MySQL 8.4 in a compose project of its own; undefined when Docker could not, which it has said itself.
 * `throwAway`: its volume goes with it, too.
 */
export async function startComposeDatabase({ project, port, password, throwAway }) {
  const databasePort = await freePort(port);
  const compose = ['compose', '--project-directory', ROOT, '--project-name', project];
  const down = [...compose, 'down', ...(throwAway ? ['--volumes'] : [])];
  const env = { ...process.env, DATABASE_PORT: String(databasePort), DATABASE_PASSWORD: password };
  const docker = (args) => start('docker', args, { env, stdio: ['ignore', 'inherit', 'inherit'] }).exited;
  // The container is the engine's child, not ours. Compose reads the file even to stop, so it wants its variables.
  runAtEnd(`DATABASE_PASSWORD=- docker ${down.map((word) => `'${word}'`).join(' ')} >/dev/null 2>&1`);
  const { code } = await step('starting mysql:8.4 with docker compose', () => docker([...compose, 'up', '--detach', '--wait', 'db']));
  return code === 0 ? { port: databasePort } : undefined;
}
