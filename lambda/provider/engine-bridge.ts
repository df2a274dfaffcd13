import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { HttpRequest, HttpResponse } from './http';

type NodeHandler = (req: IncomingMessage, res: ServerResponse) => unknown;

/**
 * Runs a Node request handler on a request value, without a TCP connection.
 *
 * Scheme and host are the issuer's, whatever the request's Host and X-Forwarded-* headers say: every URL that the
 * engine builds comes from them.
 */
export function callNodeHandler(handler: NodeHandler, request: HttpRequest, issuer: URL): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const req = new IncomingMessage(socketOf(request, issuer));
    req.method = request.method;
    req.url = request.query ? `${request.path}?${request.query}` : request.path;
    req.headers = { ...request.headers, host: issuer.host, 'content-length': String(request.body.length) };
    if (request.body.length > 0) req.push(request.body);
    req.push(null);
    req.complete = true;

    const res = new ServerResponse(req);
    const chunks: Buffer[] = [];
    const collect = (chunk: unknown, encoding?: unknown) => {
      if (chunk === undefined || chunk === null || typeof chunk === 'function') return;
      chunks.push(
        typeof chunk === 'string'
          ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
          : Buffer.from(chunk as Uint8Array),
      );
    };
    res.write = (chunk: unknown, encoding?: unknown) => {
      collect(chunk, encoding);
      return true;
    };
    res.end = (chunk?: unknown, encoding?: unknown) => {
      collect(chunk, encoding);
      resolve(toResponse(res, Buffer.concat(chunks)));
      res.emit('finish');
      return res;
    };
    Promise.resolve(handler(req, res)).catch(reject);
  });
}

function socketOf(request: HttpRequest, issuer: URL): Socket {
  const socket = new Socket();
  Object.defineProperties(socket, {
    encrypted: { value: issuer.protocol === 'https:' },
    remoteAddress: { value: request.sourceIp },
  });
  return socket;
}

function toResponse(res: ServerResponse, body: Buffer): HttpResponse {
  const headers: Record<string, string> = {};
  let cookies: string[] = [];
  for (const [name, value] of Object.entries(res.getHeaders())) {
    if (value === undefined) continue;
    if (name === 'set-cookie') cookies = Array.isArray(value) ? value : [String(value)];
    else headers[name] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  return { status: res.statusCode, headers, cookies, body };
}
