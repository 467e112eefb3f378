import { ormOptions } from './mikro-orm.config.js';
import { runCommand } from './platform/command.js';
import { JobQueue } from './platform/jobs/job-queue.js';

/** `npm run jobs:replay`: shows the jobs that were laid aside after their last failure; with `-- --all` or their ids they run again (docs/operations.md). */
await runCommand(ormOptions, async ({ database, say }) => {
  const queue = new JobQueue(database);
  const wanted = process.argv.slice(2);
  const aside = await queue.laidAside(database);
  const chosen = wanted.includes('--all') ? aside : aside.filter(({ id }) => wanted.includes(id));
  for (const { id, kind, tenantId, lastError, createdAt } of aside) say(`${id}  ${kind}  ${tenantId || '-'}  made ${createdAt.toISOString()}  ${lastError ?? ''}${chosen.some((job) => job.id === id) ? '  runs again' : ''}`);
  await queue.replay(database, chosen.map(({ id }) => id));
  say(aside.length === 0 ? 'No job was laid aside.' : `${aside.length} laid aside, ${chosen.length} of them run again.`);
  return wanted.filter((id) => id !== '--all').every((id) => aside.some((job) => job.id === id)) ? 0 : 1;
});
