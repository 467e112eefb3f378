import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Env } from '../../config/env.js';

/** The API's own description: a page at /docs, JSON at /docs/openapi.json. */
export function serveApiDocs(app: NestFastifyApplication, { publicUrl }: Pick<Env, 'publicUrl'>): void {
  const description = new DocumentBuilder()
    .setTitle('SmartPay')
    .setDescription('Payments over several PSPs. Errors are application/problem+json (RFC 9457) with a stable `code`; amounts are integers in minor units.')
    .setVersion('1')
    .setLicense('Proprietary', new URL('/', publicUrl).href)
    .addServer(publicUrl.origin)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A key of a tenant (sk_…), or the platform key for /v1/admin.' })
    .build();
  SwaggerModule.setup('docs', app, () => withOpenRoutes(SwaggerModule.createDocument(app, description)), { jsonDocumentUrl: 'docs/openapi.json', yamlDocumentUrl: 'docs/openapi.yaml' });
}

/** A route that needs no key says so. */
function withOpenRoutes(document: OpenAPIObject): OpenAPIObject {
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.get, path.post, path.put, path.delete]) if (operation !== undefined) operation.security ??= [];
  }
  return document;
}
