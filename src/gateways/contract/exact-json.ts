/** A number of a JSON text, digit by digit as it stood there: JSON.parse alone would make a float of it. */
export class JsonNumber {
  constructor(readonly text: string) {}

  toJSON(): string {
    return this.text;
  }
}

/** What stands in place of a secret that the PSP repeats. */
const HIDDEN = '[hidden]';

/**
 * Parses JSON with every number as a {@link JsonNumber}, and with `secrets` hidden in every text: the API key travels in the body, so an answer may
 * well repeat it. Undefined when it is no JSON.
 */
export function parseExactly(body: string, secrets: readonly string[]): unknown {
  // `context.source` is the number's text (ECMAScript 2026, Node 22 and later); TypeScript's library does not know it yet.
  const revive = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value === 'number') return context?.source === undefined ? null : new JsonNumber(context.source);
    return typeof value === 'string' ? without(value, secrets) : value;
  };
  try {
    return JSON.parse(body, revive) as unknown;
  } catch {
    return undefined;
  }
}

function without(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => (secret === '' ? left : left.replaceAll(secret, HIDDEN)), text);
}
