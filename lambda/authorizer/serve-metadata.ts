import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** Clients in a browser send headers of their own, and preflights, to the metadata and to the MCP server itself, whose preflights are answered here too. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, POST, DELETE, OPTIONS',
  'access-control-allow-headers': '*, Authorization',
};

/**
 * Serves the protected resource metadata (RFC 9728 section 3.2) where the API cannot answer by itself.
 *
 * @param document the metadata
 * @returns answers one event of an HTTP API with payload format 2.0
 */
export function metadataServer(document: Readonly<Record<string, unknown>>) {
  const body = JSON.stringify(document);

  return async function serve(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
    const headers = { ...CORS, 'content-type': 'application/json', 'cache-control': 'public, max-age=3600' };
    switch (event.requestContext.http.method) {
      case 'GET':
        return { statusCode: 200, headers, body };
      case 'HEAD':
        return { statusCode: 200, headers, body: '' };
      case 'OPTIONS':
        return { statusCode: 204, headers: { ...CORS, 'access-control-max-age': '86400' }, body: '' };
      default:
        return { statusCode: 405, headers: { ...CORS, allow: 'GET, HEAD, OPTIONS' }, body: '' };
    }
  };
}
