/** What can be wrong with a value (row F4), as JSON text, so that also what JavaScript cannot hold is sent as it is. */
export const FAULTS: Readonly<Record<string, string>> = {
  null: 'null',
  'an empty text': '""',
  'a blank': '" "',
  'a boolean': 'true',
  'a list': '[]',
  'an object': '{}',
  'a list of itself': '[[["x"]]]',
  'a negative number': '-1',
  zero: '0',
  'a fraction': '1.5',
  'an exponent': '1e3',
  'a huge exponent': '1e400',
  'a number beyond 2^53': '9007199254740993',
  'minus zero': '-0',
  'a number beyond 2^63': '9223372036854775808',
  'Arabic digits': '"١٢٩٠٠"',
  'a number as text': '"12900"',
  'NaN as text': '"NaN"',
  'a very long text': JSON.stringify('x'.repeat(5_000)),
  'a text with a NUL': '"a\\u0000b"',
  'a text with line breaks': '"a\\r\\nSet-Cookie: b"',
  'a lone surrogate': '"\\ud800"',
  'emoji': '"😀"',
  'right-to-left text': '"\\u202egnp"',
  'markup': '"<script>alert(1)</script>"',
  'SQL': '"\' OR 1=1 --"',
  'a template': '"${7*7}{{7*7}}"',
  'a path': '"../../etc/passwd"',
  'a prototype': '{"__proto__":{"admin":true}}',
  'a constructor': '{"constructor":{"prototype":{"admin":true}}}',
  'a card number': '"4111 1111 1111 1111"',
};

/** A JSON Schema as the description of the API uses it. */
export type Schema = {
  $ref?: string; allOf?: Schema[]; type?: string; properties?: Record<string, Schema>; required?: string[]; additionalProperties?: boolean | Schema; enum?: unknown[];
};

/** Every member of a body by its path, those below it included. */
export function membersOf(schema: Schema, schemas: Record<string, Schema>, path: readonly string[] = []): { path: readonly string[]; required: boolean }[] {
  const resolved = resolve(schema, schemas);
  return Object.entries(resolved.properties ?? {}).flatMap(([name, member]) => [
    { path: [...path, name], required: resolved.required?.includes(name) ?? false },
    ...membersOf(member, schemas, [...path, name]),
  ]);
}

function resolve(schema: Schema, schemas: Record<string, Schema>): Schema {
  const name = schema.$ref?.split('/').at(-1) ?? schema.allOf?.[0]?.$ref?.split('/').at(-1);
  return name === undefined ? schema : schemas[name] ?? {};
}

/** The body as JSON text, with the member at `path` replaced by a JSON text, or left out for null. Objects on the way are made where they are missing. */
export function textWith(body: Record<string, unknown>, path: readonly string[], replacement: string | null): string {
  const mark = '\u0001replaced\u0001';
  const copy = structuredClone(body);
  let holder = copy;
  for (const name of path.slice(0, -1)) {
    holder[name] = typeof holder[name] === 'object' && holder[name] !== null ? holder[name] : {};
    holder = holder[name] as Record<string, unknown>;
  }
  const last = path.at(-1) ?? '';
  if (replacement === null) Reflect.deleteProperty(holder, last);
  else holder[last] = mark;
  return JSON.stringify(copy).replace(JSON.stringify(mark), () => replacement ?? '');
}
