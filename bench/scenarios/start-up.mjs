import { median, rounded } from '../measure/latency.mjs';
import { residentMiB } from '../measure/proc.mjs';

const TIMES = 3;
const SETTLES_IN_MS = 1_000;

/** How long the service takes from its spawn to the first 200 of /health/ready, over migrated tables, and what it holds then. */
export async function startUp({ startService }) {
  const [readyMs, idleMiB] = [[], []];
  for (let time = 0; time < TIMES; time += 1) {
    const server = await startService();
    readyMs.push(server.readyMs);
    await new Promise((resolve) => { setTimeout(resolve, SETTLES_IN_MS); });
    idleMiB.push(residentMiB(server.pid));
    await server.stop();
  }
  return { readyMs: readyMs.map((ms) => Math.round(ms)), medianMs: Math.round(median(readyMs)), idleMiB: rounded(median(idleMiB)) };
}
