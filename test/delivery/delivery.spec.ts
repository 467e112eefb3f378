import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { composeFaults } from './compose-rules.js';
import { dockerfileFaults } from './dockerfile-rules.js';
import { workflowFaults } from './workflow-rules.js';

const ROOT = resolve(import.meta.dirname, '../..');
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
/** The text with one thing made wrong; it must be there. */
function broken(text: string, from: string | RegExp, to: string): string {
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${String(from)} is not in the file`);
  return changed;
}

describe('the Dockerfile', () => {
  const text = textOf('Dockerfile');
  it('has no fault', () => {
    expect(dockerfileFaults(text, ROOT)).toEqual([]);
  });

  it.each<[string, string | RegExp, string, string]>([
    ['a wrong instruction', 'WORKDIR /app', 'WORKDUR /app', 'Unknown instruction: WORKDUR'],
    ['no tag', 'node:24-bookworm-slim\nENV', 'node\nENV', 'DL3006'],
    ['the tag latest', 'node:24-bookworm-slim\nENV', 'node:latest\nENV', 'DL3007'],
    ['root', 'USER node', '', 'DL3002'],
    ['root by name', 'USER node', 'USER root', 'DL3002'],
    ['no health check', /HEALTHCHECK[^\n]*\\\n[^\n]*/, '', 'no HEALTHCHECK'],
    ['a shell as process 1', /CMD \["node", "--enable[^\n]*/, 'CMD node dist/src/main.js', 'DL3025'],
    ['packages for development', '--omit=dev', '', 'packages for development'],
    ['npm install', 'RUN npm ci\n', 'RUN npm install\n', 'DL3016'],
    ['a stage that is not there', '--from=packages', '--from=parcels', 'DL3022'],
    ['a file that is not there', 'COPY package.json package-lock.json .npmrc ./', 'COPY package.json yarn.lock ./', 'yarn.lock does not exist'],
    ['a relative folder', 'WORKDIR /app', 'WORKDIR app', 'DL3000'],
    ['ADD', 'COPY . .', 'ADD . .', 'DL3020'],
    ['a secret', 'ENV NODE_ENV=production', 'ENV PLATFORM_ADMIN_KEY=pak_1', 'a secret in the image'],
    ['packages of Debian, carelessly', 'RUN npm run build', 'RUN apt-get install curl', 'DL3014'],
    ['sudo', 'RUN npm run build', 'RUN sudo npm run build', 'DL3004'],
  ])('with %s is refused', (_what, from, to, fault) => {
    expect(dockerfileFaults(broken(text, from, to), ROOT).join('\n')).toContain(fault);
  });
});

describe('docker-compose.yml', () => {
  const text = textOf('docker-compose.yml');
  it('has no fault', () => {
    expect(composeFaults(text, ROOT)).toEqual([]);
  });

  it.each<[string, string | RegExp, string, string]>([
    ['a word that compose does not know', 'healthcheck:\n', 'healthchek:\n', 'must NOT have'],
    ['a port in the wrong form', 'ports: ["127.0.0.1:${PORT:-3000}:3000"]', 'ports: 3000', '/services/service/ports'],
    ['an env_file without a path', '{ path: .env, required: false }', '{ required: false }', 'env_file'],
    ['a dependency that is not there', 'depends_on: { db:', 'depends_on: { database:', 'which does not exist'],
    ['health that nobody checks', 'migrate: { condition: service_completed_successfully }', 'migrate: { condition: service_healthy }', 'which has no check'],
    ['an end that a health check hides', 'healthcheck: { disable: true } # it ends', '', 'whose image has a health check'],
    ['a volume that is not there', 'sandbox:/data]', 'books:/data]', 'mounts books'],
    ['a file that is not there', './tools/compose-database.sh', './tools/users.sh', 'mounts ./tools/users.sh'],
    ['a port that is open to the world', '"127.0.0.1:${DATABASE_PORT:-3306}:3306"', '"${DATABASE_PORT:-3306}:3306"', 'to the world'],
    ['any MySQL', 'mysql:8.4', 'mysql', 'whatever mysql is today'],
    ['a program that nothing makes', 'dist/src/worker.js', 'dist/src/jobs.js', 'which nothing makes'],
    ['a variable that nothing reads', 'WORKER_PORT:', 'WORKERS_PORT:', 'sets WORKERS_PORT'],
    ['a variable without a default', '${SANDBOX_PORT:-4010}', '${SANDBOX_DOOR}', '${SANDBOX_DOOR} has no default'],
    ['a privileged service', 'restart: on-failure', 'privileged: true', 'is privileged'],
    ['all capabilities', 'cap_drop: [ALL]', 'cap_drop: []', 'is not confined'],
  ])('with %s is refused', (_what, from, to, fault) => {
    expect(composeFaults(broken(text, from, to), ROOT).join('\n')).toContain(fault);
  });
});

describe('the workflows of GitHub Actions', () => {
  it.each(readdirSync(join(ROOT, '.github/workflows')))('%s has no fault', async (file) => {
    expect(await workflowFaults(textOf(join('.github/workflows', file)), ROOT)).toEqual([]);
  });

  it.each<[string, string | RegExp, string, string]>([
    ['a wrong word', 'timeout-minutes: 20', 'timeout-minute: 20', 'timeout-minute'],
    ['a value that is not there', 'matrix.database', 'matrix.server', '"server"'],
    ['an action that is not pinned', 'actions/checkout@v4', 'actions/checkout@main', 'is not pinned'],
    ['a script that does not exist', 'npm run check', 'npm run chekc', 'npm run chekc does not exist'],
    ['a job without an end', '    timeout-minutes: 10\n', '', 'may run for hours'],
    ['rights to write', 'contents: read', 'contents: write', 'may do more than read'],
  ])('with %s is refused', async (_what, from, to, fault) => {
    expect((await workflowFaults(broken(textOf('.github/workflows/ci.yml'), from, to), ROOT)).join('\n')).toContain(fault);
  });
});
