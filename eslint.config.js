import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.data/', 'node_modules/'] },
  {
    // ESLint's own rules for what only a mistake can mean; for TypeScript, typescript-eslint turns off what the compiler already says.
    rules: Object.fromEntries([
      'constructor-super', 'for-direction', 'getter-return', 'no-async-promise-executor', 'no-case-declarations', 'no-class-assign', 'no-compare-neg-zero',
      'no-cond-assign', 'no-const-assign', 'no-constant-binary-expression', 'no-constant-condition', 'no-debugger', 'no-dupe-args', 'no-dupe-class-members',
      'no-dupe-else-if', 'no-dupe-keys', 'no-duplicate-case', 'no-empty', 'no-empty-pattern', 'no-ex-assign', 'no-fallthrough', 'no-func-assign',
      'no-import-assign', 'no-invalid-regexp', 'no-irregular-whitespace', 'no-loss-of-precision', 'no-misleading-character-class',
      'no-self-assign', 'no-self-compare', 'no-setter-return', 'no-sparse-arrays', 'no-this-before-super', 'no-undef', 'no-unreachable', 'no-unsafe-finally',
      'no-unsafe-negation', 'no-unsafe-optional-chaining', 'no-unused-private-class-members', 'no-unused-vars', 'no-useless-backreference', 'no-useless-catch',
      'no-useless-escape', 'require-yield', 'use-isnan', 'valid-typeof', 'no-var', 'prefer-const', 'no-eval', 'no-implied-eval',
    ].map((rule) => [rule, 'error'])),
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }], // `== null` asks for null and undefined at once
      'no-restricted-syntax': [
        'error',
        { selector: "CallExpression[callee.name='parseFloat'], CallExpression[callee.property.name='parseFloat']", message: 'Money is bigint minor units; decimal text is read digit by digit.' },
        { selector: "CallExpression[callee.property.name='toFixed']", message: 'Money is bigint minor units; see shared/money.ts.' },
        { selector: "CallExpression[callee.name='forwardRef']", message: 'A cycle: move what both sides need into a third module.' },
      ],
      'no-restricted-properties': ['error', { object: 'jest', property: 'mock', message: 'Use a fake with chosen outcomes.' }],
    },
  },
  {
    files: ['src/**/*.module.ts'],
    rules: { '@typescript-eslint/no-extraneous-class': 'off' }, // a Nest module is an empty class: its content is its decorator
  },
  {
    files: ['src/sandbox/**/*.ts'],
    rules: { 'no-console': 'off' }, // the emulators are a program for people, and use nothing of ours to log with
  },
  {
    files: ['**/*.spec.ts', '**/*.e2e-spec.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off', // expect.any() and expect.objectContaining() are typed any
      '@typescript-eslint/unbound-method': 'off', // `const { ask } = service`: what test/support hands out is closures
      '@typescript-eslint/require-await': 'off', // a fake keeps the signature of what it stands for
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'Buffer', 'URL', 'fetch', 'AbortSignal', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'module'].map((name) => [name, 'readonly']),
      ),
    },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_' }] },
  },
);
