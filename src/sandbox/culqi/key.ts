import { type IncomingMessage } from 'node:http';

export type Environment = 'test' | 'live';

/** A well-formed Culqi key. `merchant` is `<environment>_<suffix>`: one account has pk and sk with the same suffix (our convention). */
export interface Key {
  kind: 'pk' | 'sk';
  environment: Environment;
  merchant: string;
}

/** Reads `Authorization: Bearer pk_test_…`; null when there is no well-formed key. */
export function readKey(headers: IncomingMessage['headers']): Key | null {
  const match = /^Bearer (pk|sk)_(test|live)_([0-9A-Za-z]{6,})$/.exec(headers.authorization ?? '');
  if (match === null) return null;
  const environment = match[2] as Environment;
  return { kind: match[1] as Key['kind'], environment, merchant: `${environment}_${match[3] ?? ''}` };
}
