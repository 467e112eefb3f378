// The import rules of architecture.md §8. `npm run rules` and test/architecture.spec.ts run them; specs may import what they test with.

const SPEC = '\\.(spec|e2e-spec)\\.ts$';

/** Folders downstream of payments: they hear of a payment by its events and may ask its public service. */
const DOWNSTREAM = 'accounting|credits|mailing|invoicing|webhooks|reconciliation|reports|audit|notifications|risk|disputes|payouts|in-store';
/** What others may see of payments. */
const PAYMENTS_FACE = '^src/payments/(payments\\.service|payments\\.module|[a-z-]*events?)\\.ts$';
const FRAMEWORKS = '^node_modules/(@nestjs|@mikro-orm|kysely|mysql2|nestjs-pino|fastify|@fastify)/';

/** `folder` may import, of ours, only itself and `allowed`. */
const seesOnly = (folder, allowed, comment) => ({
  name: `${folder.replaceAll(/[^a-z]+/g, '-')}-sees-only`,
  comment,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: SPEC },
  to: { path: '^(src|migrations|test)/', pathNot: [folder, ...allowed].map((each) => `^src/${each}/`) },
});

const forbidden = (name, comment, from, to) => ({ name, comment, severity: 'error', from: { ...from, pathNot: [SPEC, ...(from.pathNot ?? [])] }, to });

module.exports = {
  forbidden: [
    { name: 'no-cycles', comment: 'Move what both sides need into a third file.', severity: 'error', from: {}, to: { circular: true } },
    forbidden('no-barrels', 'Import the file that has the name.', { path: '^src/' }, { path: '/index\\.ts$', pathNot: 'node_modules' }),
    { name: 'resolvable', comment: 'A relative import ends in .js; a package stands in package.json.', severity: 'error', from: {}, to: { couldNotResolve: true } },
    forbidden('no-development-packages', 'What src imports is needed in production: a dependency, not a devDependency.', { path: '^src/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] }),
    forbidden('no-unlisted-packages', 'A package that only another one brings may vanish: list it.', { path: '^src/' }, { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }),
    forbidden('src-imports-no-test', 'Tests import the source, never the other way round.', { path: '^src/' }, { path: `^test/|${SPEC}` }),
    forbidden('entry-points-are-not-imported', 'What an entry point has and a feature needs belongs into a folder.', { path: '^src/[^/]+/' }, { path: '^src/[^/]+\\.ts$' }),

    seesOnly('shared', [], 'shared is pure: it imports nothing of ours.'),
    forbidden('shared-knows-no-framework', 'shared is pure: no Nest, no ORM.', { path: '^src/shared/' }, { path: FRAMEWORKS }),
    seesOnly('config', ['shared'], 'shared <- config'),
    seesOnly('platform', ['shared', 'config'], 'shared <- config <- platform: it knows no feature.'),
    seesOnly('tickets', ['shared', 'config', 'platform'], 'shared <- config <- platform <- tickets'),

    seesOnly('gateways/contract', ['shared'], 'The contract sees only shared.'),
    forbidden('psp-sees-only', 'A PSP folder sees only the contract and shared, never another PSP.', { path: '^src/gateways/(?!contract/)([^/]+)/' },
      { path: '^(src|migrations|test)/', pathNot: ['^src/gateways/$1/', '^src/gateways/contract/', '^src/shared/'] }),
    forbidden('psp-knows-no-framework', 'An adapter is a plain class: no Nest, no ORM, no logger.', { path: '^src/gateways/[^/]+/' }, { path: `${FRAMEWORKS}|^node_modules/pino` }),
    forbidden('only-the-list-names-a-psp', 'Adding a PSP is one folder and one entry in gateways.ts.', { pathNot: ['^src/gateways/gateways\\.ts$', '^src/gateways/(?!contract/)[^/]+/'] },
      { path: '^src/gateways/(?!contract/)[^/]+/' }),
    forbidden('sdk-only-in-its-client', 'An SDK is fenced off inside <psp>.client.ts.', { pathNot: ['^src/gateways/[a-z]+/[a-z]+\\.client\\.ts$'] }, { path: '^node_modules/(culqi-node|mercadopago)/' }),
    seesOnly('gateways', ['shared', 'config', 'platform'], 'The registry takes decrypted credentials as an argument: it sees no tenant.'),

    seesOnly('tenants', ['shared', 'config', 'platform', 'tickets', 'gateways'], 'Tenants see the gateways (their definitions).'),
    seesOnly('routing', ['shared', 'gateways/contract'], 'The routing engine is pure: it sees shared and the contract.'),
    seesOnly('customers', ['shared', 'config', 'platform', 'tickets', 'gateways', 'tenants'], 'Customers see tenants and gateways.'),
    seesOnly('payments', ['shared', 'config', 'platform', 'tickets', 'gateways', 'tenants', 'routing', 'customers'], 'Payments know nobody downstream.'),
    seesOnly('ledger', ['shared', 'config', 'platform'], 'The ledger sees the platform only.'),
    forbidden('downstream-sees-the-face-of-payments', 'Subscribe to an event, or ask the public service; never the entities.', { path: `^src/(${DOWNSTREAM})/` },
      { path: '^src/payments/', pathNot: PAYMENTS_FACE }),
    forbidden('ledger-is-for-accounting-and-credits', 'Only accounting and credits write the ledger.', { path: '^src/[^/]+/', pathNot: ['^src/(ledger|accounting|credits)/'] },
      { path: '^src/ledger/' }),

    seesOnly('sandbox', [], 'The emulators share no code with the gateways, so that a mistake is not made twice alike.'),
    forbidden('nothing-sees-the-sandbox', 'The service must not depend on its emulators.', { path: '^src/', pathNot: ['^src/sandbox/'] }, { path: '^src/sandbox/' }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true, // an import of a type is an import, too
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
