// Loaded into the service by `--import` for `--profile`: SIGUSR2 begins a CPU profile, the next writes it.
// So start-up and warm-up stay out of it, as they would not with --cpu-prof.
import fs from 'node:fs';
import { Session } from 'node:inspector/promises';

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: 500 }); // µs

let isRunning = false;
process.on('SIGUSR2', async () => {
  isRunning = !isRunning;
  if (isRunning) return session.post('Profiler.start');
  const { profile } = await session.post('Profiler.stop');
  fs.writeFileSync(`${process.env.PROFILE_FILE}.new`, JSON.stringify(profile));
  fs.renameSync(`${process.env.PROFILE_FILE}.new`, process.env.PROFILE_FILE);
});
