// Lints an OpenAPI document under Redocly's `recommended` rules and prints what it finds, as JSON. A process of its own: the linter brings its own module loading.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createConfig, lintFromString } from '@redocly/openapi-core';

const file = resolve(process.argv[2] ?? 'openapi.json');
const problems = await lintFromString({ source: readFileSync(file, 'utf8'), absoluteRef: file, config: await createConfig({ extends: ['recommended'] }) });
process.stdout.write(JSON.stringify(problems.map(({ severity, ruleId, message, location }) => ({ severity, ruleId, message, pointer: location[0]?.pointer }))));
