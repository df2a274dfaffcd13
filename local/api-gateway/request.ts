import type { IncomingMessage } from 'node:http';

/** Request line and headers together, in bytes. */
const HEADER_LIMIT = 10_240;
/** Of a request's body, in bytes (10 MB). */
export const PAYLOAD_LIMIT = 10 * 1024 * 1024;

/** A request as it arrived at an API. */
export interface ApiRequest {
  readonly method: string;
  /** Without the query string, as sent. */
  readonly path: string;
  /** Without the question mark, as sent. */
  readonly query: string;
  /** In the order and the spelling of the client. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly protocol: string;
  readonly port: number;
}

/** A request that is over a limit of API Gateway. */
export class RequestLimitError extends Error {
  constructor(readonly statusCode: 413 | 431) {
    super(statusCode === 413 ? 'Request Entity Too Large' : 'Request Header Fields Too Large');
  }
}

/** @throws RequestLimitError */
export async function readRequest(incoming: IncomingMessage): Promise<ApiRequest> {
  const { method = 'GET', url = '/', rawHeaders, httpVersion, socket } = incoming;
  const protocol = `HTTP/${httpVersion}`;
  const headers: [string, string][] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.push([rawHeaders[index]!, rawHeaders[index + 1]!]);
  }
  const size = headers.reduce(
    (sum, [name, value]) => sum + name.length + value.length + ': \r\n'.length,
    `${method} ${url} ${protocol}\r\n`.length,
  );
  if (size > HEADER_LIMIT) throw new RequestLimitError(431);

  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > PAYLOAD_LIMIT) throw new RequestLimitError(413);
    chunks.push(chunk);
  }
  const [path, ...query] = url.split('?');
  return {
    method,
    path: path!,
    query: query.join('?'),
    headers,
    body: Buffer.concat(chunks),
    sourceIp: (socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '').replace(/^::1$/, '127.0.0.1'),
    protocol,
    port: socket.localPort ?? 0,
  };
}

/** The values of a header, in the order of the request. */
export function headerValues(request: ApiRequest, name: string): string[] {
  const wanted = name.toLowerCase();
  return request.headers.filter(([given]) => given.toLowerCase() === wanted).map(([, value]) => value);
}

/** The headers that an integration gets: without those of the connection, with API Gateway's own. */
export function forwardedHeaders(request: ApiRequest, traceId: string): [string, string][] {
  const own = ['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto', 'x-amzn-trace-id'];
  const dropped = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'proxy-connection', ...own];
  const chain = [...headerValues(request, 'x-forwarded-for'), request.sourceIp].join(', ');
  return [
    ...request.headers
      .filter(([name]) => !dropped.includes(name.toLowerCase()))
      .map(([n, v]): [string, string] => [n, v]),
    ['X-Amzn-Trace-Id', traceId],
    ['X-Forwarded-For', chain],
    ['X-Forwarded-Port', String(request.port)],
    ['X-Forwarded-Proto', 'http'],
  ];
}

/** Query parameters in their order, decoded. */
export function queryPairs(query: string): [string, string][] {
  return [...new URLSearchParams(query)];
}

/** `12/Mar/2020:19:03:58 +0000` */
export function requestTime(milliseconds: number): string {
  const [, , day, month, year, time] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(milliseconds).toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0000`;
}
