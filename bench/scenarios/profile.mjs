import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../tools/project.mjs';
import { selfTimes } from '../measure/profile.mjs';
import { pay } from '../sides.mjs';

/** Where the service's own time goes while it makes payments: self time by function and by package, over `seconds`. */
export async function profile(bench, { concurrency, seconds, home }) {
  const side = bench.sides.service;
  const file = path.join(home, 'service.cpuprofile');
  const preload = pathToFileURL(path.join(ROOT, 'bench', 'measure', 'profiler.mjs')).href;
  side.server = await bench.startService({ PROFILE_FILE: file }, ['--import', preload]);
  await pay(bench, side, { kind: 'closedLoop', concurrency, seconds: 4 });
  process.kill(side.server.pid, 'SIGUSR2');
  await sleep(200);
  const seen = await pay(bench, side, { kind: 'closedLoop', concurrency, seconds });
  process.kill(side.server.pid, 'SIGUSR2');
  for (let tries = 0; !fs.existsSync(file) && tries < 300; tries += 1) await sleep(100);
  const times = selfTimes(JSON.parse(fs.readFileSync(file, 'utf8')), ROOT);
  await side.server.stop();
  return { payments: seen.good, ...times };
}
