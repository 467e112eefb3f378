import type { Env } from './env.js';
import { environmentSchema, otherHostsSchema } from './environment-schema.js';

/** The environment cannot be used. `lines` has one line for each bad variable, and never a value. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';

  constructor(readonly lines: readonly string[]) {
    super(`The environment cannot be used:\n${lines.join('\n')}`);
  }
}

/** Reads the environment; an empty variable counts as not set. @throws EnvironmentError naming every bad variable and what is expected. */
export function readEnv(source: NodeJS.ProcessEnv): Env {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const production = given.NODE_ENV === 'production';
  const parsed = environmentSchema(production).safeParse(given);
  const others = otherHostsSchema(production, Object.keys(given)).safeParse(given);
  if (parsed.success && others.success) return { ...parsed.data, hosts: { ...parsed.data.hosts, ...others.data } };

  const lines = new Map<string, string>();
  for (const { path, message } of [...parsed.error?.issues ?? [], ...others.error?.issues ?? []]) {
    const name = String(path[0]);
    if (!lines.has(name)) lines.set(name, given[name] === undefined ? `${name} is required: ${message}` : `${name} must be ${message}`);
  }
  throw new EnvironmentError([...lines.values()]);
}
