import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '..');
/** Where SQL may be built by hand past the ORM's types: everybody else goes through a function of these. */
const MAY_CALL_GET_KYSELY = [/^src\/platform\/database\//];

type Violation = { rule: { name: string }; from: string; to: string };

function cruise(folder: string): Promise<Violation[]> {
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [program, 'src', '--config', join(ROOT, '.dependency-cruiser.cjs'), '--output-type', 'json'];
  return new Promise((succeed, fail) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (stdout === '') return fail(new Error(`dependency-cruiser said nothing: ${stderr}`, { cause: error }));
      succeed((JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations);
    });
  });
}

describe('the import rules of architecture §8', () => {
  it('hold in src', async () => {
    expect((await cruise(ROOT)).map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  });

  /** One breach of each rule: who imports whom, and the rule that must say no. */
  const BREACHES: [rule: string, from: string, to: string][] = [
    ['no-barrels', 'payments/a.ts', 'payments/index.ts'],
    ['resolvable', 'payments/b.ts', 'payments/missing.ts'],
    ['src-imports-no-test', 'payments/c.ts', 'payments/c.spec.ts'],
    ['entry-points-are-not-imported', 'payments/d.ts', 'app.module.ts'],
    ['shared-sees-only', 'shared/a.ts', 'config/env.ts'],
    ['shared-knows-no-framework', 'shared/b.ts', '@nestjs/common'],
    ['config-sees-only', 'config/a.ts', 'platform/tokens.ts'],
    ['platform-sees-only', 'platform/a.ts', 'tenants/tenants.ts'],
    ['tickets-sees-only', 'tickets/a.ts', 'tenants/tenants.ts'],
    ['gateways-contract-sees-only', 'gateways/contract/a.ts', 'platform/tokens.ts'],
    ['psp-sees-only', 'gateways/culqi/a.ts', 'gateways/pixelpay/pixelpay.client.ts'],
    ['psp-sees-only', 'gateways/culqi/b.ts', 'platform/tokens.ts'],
    ['psp-knows-no-framework', 'gateways/culqi/c.ts', '@nestjs/common'],
    ['psp-knows-no-framework', 'gateways/culqi/d.ts', '@mikro-orm/core'],
    ['only-the-list-names-a-psp', 'gateways/gateway-registry.ts', 'gateways/culqi/culqi.client.ts'],
    ['only-the-list-names-a-psp', 'payments/e.ts', 'gateways/culqi/culqi.client.ts'],
    ['sdk-only-in-its-client', 'gateways/culqi/culqi.gateway.ts', 'culqi-node'],
    ['gateways-sees-only', 'gateways/gateways.module.ts', 'tenants/tenants.ts'],
    ['tenants-sees-only', 'tenants/a.ts', 'payments/payments.service.ts'],
    ['routing-sees-only', 'routing/a.ts', 'platform/tokens.ts'],
    ['customers-sees-only', 'customers/a.ts', 'payments/payments.service.ts'],
    ['payments-sees-only', 'payments/f.ts', 'credits/credits.ts'],
    ['ledger-sees-only', 'ledger/a.ts', 'payments/payments.service.ts'],
    ['downstream-sees-the-face-of-payments', 'credits/a.ts', 'payments/entities/payment.entity.ts'],
    ['ledger-is-for-accounting-and-credits', 'reports/a.ts', 'ledger/ledger.ts'],
    ['sandbox-sees-only', 'sandbox/a.ts', 'shared/money.ts'],
    ['nothing-sees-the-sandbox', 'payments/g.ts', 'sandbox/main.ts'],
    ['no-cycles', 'payments/cycle-a.ts', 'payments/cycle-b.ts'],
    ['no-development-packages', 'payments/h.ts', 'fast-check'],
    ['no-unlisted-packages', 'payments/i.ts', 'left-pad'],
  ];
  const OTHER_HALF_OF_THE_CYCLE: [from: string, to: string] = ['payments/cycle-b.ts', 'payments/cycle-a.ts'];
  /** What looks alike and is allowed. */
  const ALLOWED: [from: string, to: string][] = [
    ['gateways/gateways.ts', 'gateways/culqi/culqi.definition.ts'],
    ['gateways/culqi/culqi.client.ts', 'culqi-node'],
    ['gateways/culqi/culqi.gateway.spec.ts', 'sandbox/main.ts'],
    ['gateways/pixelpay/pixelpay.gateway.ts', 'gateways/contract/payment-gateway.ts'],
    ['accounting/payment-accounting.ts', 'payments/payment-events.ts'],
    ['credits/credits.ts', 'ledger/ledger.ts'],
    ['reports/reports.ts', 'payments/payments.service.ts'],
  ];
  const fixture = mkdtempSync(join(tmpdir(), 'smartpay-architecture-'));
  let found: Violation[];
  beforeAll(async () => {
    layOut(fixture, [...BREACHES.map(([, from, to]) => [from, to] as [string, string]), OTHER_HALF_OF_THE_CYCLE, ...ALLOWED]);
    found = await cruise(fixture);
  });
  afterAll(() => rmSync(fixture, { recursive: true }));

  it.each(BREACHES)('are broken by an import that %s forbids (%s → %s)', (rule, from) => {
    expect(found.filter((violation) => violation.from === `src/${from}`).map((violation) => violation.rule.name)).toContain(rule);
  });

  it.each(ALLOWED)('let %s import %s', (from) => {
    expect(found.filter((violation) => violation.from === `src/${from}`)).toEqual([]);
  });

  it('each have a breach above', () => {
    const rules = [...readFileSync(join(ROOT, '.dependency-cruiser.cjs'), 'utf8').matchAll(/(forbidden\(|seesOnly\(|\{ name: )'([^']+)'/g)]
      .map(([, kind, name]) => (kind === 'seesOnly(' ? `${name?.replaceAll('/', '-')}-sees-only` : name));
    expect(rules.length).toBeGreaterThan(20);
    expect(rules.filter((rule) => !BREACHES.some(([breached]) => breached === rule))).toEqual([]);
  });
});

/** A project of files that only import; packages are stubs, so that nothing depends on where node_modules lies. */
function layOut(folder: string, imports: [from: string, to: string][]): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { flag: 'a' });
  };
  const packages = ['@nestjs/common', '@mikro-orm/core', 'culqi-node', 'fast-check', 'left-pad'];
  for (const name of packages) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    write(`node_modules/${name}/index.js`, 'module.exports = {};');
  }
  const versions = Object.fromEntries(packages.map((name) => [name, '1.0.0']));
  write('package.json', JSON.stringify({ type: 'module', dependencies: { ...versions, 'fast-check': undefined, 'left-pad': undefined }, devDependencies: { 'fast-check': '1.0.0' } }));
  copyFileSync(join(ROOT, 'tsconfig.json'), join(folder, 'tsconfig.json'));
  for (const [from, to] of imports) {
    const isOurs = to.endsWith('.ts');
    write(`src/${from}`, `import '${isOurs ? `${'../'.repeat(from.split('/').length - 1)}${to.replace(/\.ts$/, '.js')}` : to}';\n`);
    if (isOurs && !to.includes('missing')) write(`src/${to}`, '');
  }
}

describe('the source', () => {
  it('builds SQL with Kysely only where the database folder does', () => {
    const offenders = filesUnder('src').filter((file) => file.endsWith('.ts') && !MAY_CALL_GET_KYSELY.some((allowed) => allowed.test(file)))
      .filter((file) => readFileSync(join(ROOT, file), 'utf8').includes('getKysely('));
    expect(offenders).toEqual([]);
  });
});

describe('the documents', () => {
  const documents = ['README.md', 'DEVELOPERS.md', ...(existsSync(join(ROOT, 'docs')) ? filesUnder('docs') : []), ...filesUnder('src')]
    .filter((file) => file.endsWith('.md') && existsSync(join(ROOT, file)));

  it.each(documents)('%s names only paths that exist', (document) => {
    const missing = pathsNamedIn(readFileSync(join(ROOT, document), 'utf8'))
      .filter((path) => !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, dirname(document), path)));
    expect(missing).toEqual([]);
  });

  it('would be caught naming a path that does not exist', () => {
    expect(pathsNamedIn('see `src/nowhere/at-all.ts`, `./tools/up.mjs`, `npm run up`, `dist/src/main.js` and `src/gateways/<psp>/`')).toEqual(['src/nowhere/at-all.ts', 'tools/up.mjs']);
  });
});

describe('.env.example', () => {
  it('lists every variable that the environment schema reads', () => {
    const schema = filesUnder('src/config').filter((file) => !file.endsWith('.spec.ts')).map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');
    const variables = [...schema.matchAll(/^ {4}([A-Z][A-Z_]+):/gm)].map(([, name]) => name).filter((name) => name !== 'LOG_CAPTURE_DIR'); // of the tests alone
    const listed = [...readFileSync(join(ROOT, '.env.example'), 'utf8').matchAll(/^(?:# )?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name);
    expect(variables.length).toBeGreaterThan(20);
    expect(variables.filter((name) => !listed.includes(name))).toEqual([]);
  });
});

/** Paths of this repository in backticks: made things (`dist`, `.data`) and patterns (`<psp>`, `*`, `…`) are none. */
function pathsNamedIn(text: string): string[] {
  return [...text.matchAll(/`(?:\.\/)?((?:src|test|tools|docs|migrations|bench|\.ci)\/[^`\s:#]*)[^`\n]*`/g)].map(([, path = '']) => path)
    .filter((path) => !/[<>*…{}$]/.test(path));
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));
}
