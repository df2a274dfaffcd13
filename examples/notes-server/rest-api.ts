import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { APIGatewayProxyEvent } from 'aws-lambda';

/**
 * Clients in a browser may read the answers. API Gateway itself answers preflights and what the authorizer refuses.
 * Every `Origin` is a valid one, because no browser adds a bearer token by itself; API Gateway lets no other `Host` in than the API's own,
 * which keeps off DNS rebinding (MCP, Streamable HTTP, Security).
 */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'MCP-Protocol-Version, Mcp-Session-Id',
};

/** The event of a REST API as a web request. */
export function requestOf(event: APIGatewayProxyEvent): Request {
  const headers = Object.entries(event.multiValueHeaders).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  const body = event.body === null ? null : Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8');
  return new Request(`https://${event.requestContext.domainName}${event.requestContext.path}`, {
    method: event.httpMethod,
    headers: headers.filter(([, value]) => IS_HEADER_VALUE.test(value)),
    body: event.httpMethod === 'GET' ? null : body,
  });
}

/** A web request refuses what else may stand in a header, and nothing in MCP needs it. */
const IS_HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Streams a web response back through the REST API, part by part as the server writes it. */
export async function stream(response: Response, to: awslambda.HttpResponseStream): Promise<void> {
  const headers = { ...Object.fromEntries(response.headers), ...CORS };
  const output = awslambda.HttpResponseStream.from(to, { statusCode: response.status, headers });
  // Status and headers go out with the first write, so an answer without a body needs one as well.
  output.write('');
  if (response.body === null) {
    output.end();
  } else {
    await pipeline(Readable.fromWeb(response.body), output);
  }
}
