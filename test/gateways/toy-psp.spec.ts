import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { GatewayDefinition } from '../../src/gateways/contract/gateway-definition.js';
import { describeGatewayContract } from '../support/gateway-contract.js';
import { startToy } from './toy/toy-server.js';
import { toy } from './toy/toy.definition.js';

const ROOT = resolve(import.meta.dirname, '../..');
let merchants = 0;

describe('a third PSP, with none of the optional verbs', () => {
  describeGatewayContract({
    definition: toy as unknown as GatewayDefinition,
    declines: [['card_declined', 'not_today']],
    unknownReference: 'toy_000000',
    members: { amount: 'minor', currency: 'cur', ourReference: 'id', status: 'state' },
    secretOf: ({ secretKey = '' }) => secretKey,
    start: async () => {
      const server = await startToy();
      return {
        hosts: { api: server.url },
        newMerchant: () => ({ secretKey: `toy-secret-${++merchants}x` }),
        token: (_credentials, outcome) => Promise.resolve(`${outcome === 'approved' ? 'yes' : 'no'}-0123456789`),
        alter: (_verb, changes) => { server.altered.changes = changes; },
        settle: () => undefined,
        reset: () => { server.altered.changes = {}; },
        close: () => server.close(),
      };
    },
  });
});

describe('adding a PSP', () => {
  mkdirSync(join(ROOT, '.data'), { recursive: true });
  // Inside the project, so that its packages are found.
  const copy = mkdtempSync(join(ROOT, '.data/toy-'));
  afterAll(() => { rmSync(copy, { recursive: true }); });

  it('is one folder and one entry in the list, and nothing else (docs/adding-a-gateway.md)', async () => {
    for (const part of ['src', 'migrations', 'test/support', 'test/setup.ts', 'tsconfig.json', 'jest.config.js', 'package.json']) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    layOut(join(copy, 'src/gateways/toy'));
    const list = join(copy, 'src/gateways/gateways.ts');
    const text = readFileSync(list, 'utf8');
    const longer = text.replace('pixelpay] as', 'pixelpay, toy] as').replace('import { pixelpay }', 'import { toy } from \'./toy/toy.definition.js\';\nimport { pixelpay }');
    expect(longer).toHaveLength(text.length + 5 + 'import { toy } from \'./toy/toy.definition.js\';\n'.length);
    writeFileSync(list, longer);
    cpSync(join(ROOT, 'test/gateways/toy/toy-server.ts'), join(copy, 'test/e2e/toy/toy-server.ts'), { recursive: true });
    cpSync(join(ROOT, 'test/gateways/toy/toy-service.ts.txt'), join(copy, 'test/e2e/toy.e2e-spec.ts'));

    expect(await run('node_modules/typescript/bin/tsc', '--noEmit', '-p', copy)).toBe('');
    const told = await run('--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js', '--rootDir', copy, '--config', join(copy, 'jest.config.js'), 'toy.e2e-spec');
    expect(told).toContain('1 passed');
  }, 120_000);

  /** The toy's folder as it would stand beside the others. */
  function layOut(folder: string): void {
    mkdirSync(folder);
    const source = join(ROOT, 'test/gateways/toy');
    for (const file of readdirSync(source).filter((name) => name.startsWith('toy.'))) {
      writeFileSync(join(folder, file), readFileSync(join(source, file), 'utf8').replaceAll('../../../src/gateways/contract/', '../contract/').replaceAll('../../../src/shared/', '../../shared/'));
    }
  }
});

/** What a program says, both ways; its end is told by what it says. */
function run(...args: string[]): Promise<string> {
  return new Promise((succeed) => {
    execFile(process.execPath, args, { cwd: ROOT, env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 16 * 1024 * 1024 }, (_error, stdout, stderr) => { succeed(`${stdout}${stderr}`.trim()); });
  });
}
