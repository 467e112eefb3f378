import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../shared/problem.js';
import { refuseCardData } from './card-data.js';
import { readJson } from './json-text.js';

/** design/api.md: "Body ≤ 256 KB". */
export const BODY_BYTES_MAX = 256 * 1024;

/** A request with the bytes of its body as they came, for signatures. */
export type RequestWithBytes = FastifyRequest & { rawBody?: Buffer };

/** Of a route whose body is not ours to read: it gets the bytes as they came, whatever the content type says. */
export const TAKES_BYTES = { takesBytes: true } as const;

/** Reads bodies of `application/json` in UTF-8 and no others: anything else is `unsupported_media_type`. */
export function readJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (request, bytes: Buffer, done) => {
    try {
      done(null, bodyOf(request, bytes));
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (request, bytes: Buffer, done) => {
    if (takesBytes(request)) done(null, bytes);
    else done(new Problem('unsupported_media_type', 'Send application/json in UTF-8, without Content-Encoding.'));
  });
}

function takesBytes({ routeOptions }: FastifyRequest): boolean {
  return (routeOptions.config as Partial<typeof TAKES_BYTES>).takesBytes === true;
}

/** Clients that always send a content type send it also where they send no body: then there is none, which a route that needs one refuses. */
function bodyOf(request: RequestWithBytes, bytes: Buffer): unknown {
  if (takesBytes(request)) return bytes;
  if (bytes.length === 0) return undefined;
  request.rawBody = bytes;
  const body = readJson(bytes);
  refuseCardData(body);
  return body;
}

/** @throws Problem `unsupported_media_type` when the body is packed or not in UTF-8; asked before it is read, so that nothing is ever unpacked. */
export function refuseForeignEncoding({ headers }: Pick<FastifyRequest, 'headers'>): void {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers['content-type'] ?? '')?.[1];
  if (headers['content-encoding'] === undefined && /^(?:utf-?8)?$/i.test(charset ?? '')) return;
  throw new Problem('unsupported_media_type', 'Send application/json in UTF-8, without Content-Encoding.');
}
