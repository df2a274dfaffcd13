import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';

/** What an API answers. */
export interface ApiResponse {
  readonly statusCode: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | Readable;
}

export function jsonResponse(
  statusCode: number,
  content: unknown,
  headers: readonly (readonly [string, string])[] = [],
): ApiResponse {
  const body = Buffer.from(JSON.stringify(content));
  return { statusCode, headers: [['Content-Type', 'application/json'], ...headers], body };
}

/** Writes the response out. A stream that breaks off breaks the connection, so that the client cannot take it for whole. */
export function send(response: ApiResponse, outgoing: ServerResponse): void {
  const { statusCode, headers, body } = response;
  outgoing.statusCode = statusCode;
  for (const [name, value] of headers) outgoing.appendHeader(name, value);
  if (Buffer.isBuffer(body)) {
    // RFC 9110 section 8.6: not in a response that has no content.
    if (statusCode !== 204 && statusCode !== 304) outgoing.setHeader('Content-Length', body.length);
    outgoing.end(body);
    return;
  }
  outgoing.flushHeaders();
  body.on('data', (chunk) => outgoing.write(chunk));
  body.on('end', () => outgoing.end());
  body.on('error', () => outgoing.destroy());
}

/** Response headers of an integration that API Gateway sends under another name. */
const RENAMED = [
  'connection',
  'content-length',
  'content-md5',
  'date',
  'expect',
  'host',
  'max-forwards',
  'proxy-authenticate',
  'server',
  'trailer',
  'upgrade',
  'via',
  'warn',
  'www-authenticate',
];
/** Those that belong to the connection and go no further. */
const HOP_BY_HOP = ['keep-alive', 'te', 'transfer-encoding', 'proxy-connection'];

/** The headers of a Lambda function's response as a REST API sends them on. */
export function renameForRestApi(headers: readonly (readonly [string, string])[]): [string, string][] {
  return headers
    .filter(([name]) => !HOP_BY_HOP.includes(name.toLowerCase()))
    .map(([name, value]) => [RENAMED.includes(name.toLowerCase()) ? `x-amzn-Remapped-${name}` : name, value]);
}

/**
 * The headers of a Lambda function's response as an HTTP API sends them on. Whether HTTP APIs rename WWW-Authenticate is
 * disputed; here the worse is assumed, so that nothing comes to depend on the better.
 */
export function renameForHttpApi(headers: readonly (readonly [string, string])[]): [string, string][] {
  const dropped = [...HOP_BY_HOP, 'connection', 'content-length', 'upgrade', 'trailer'];
  return headers
    .filter(([name]) => !dropped.includes(name.toLowerCase()))
    .map(([name, value]) => [
      name.toLowerCase() === 'www-authenticate' ? 'x-amzn-remapped-www-authenticate' : name,
      value,
    ]);
}
