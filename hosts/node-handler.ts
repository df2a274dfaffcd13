import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HttpRequest, type HttpResponse, json } from '../lambda/provider/http';
import { currentRequest, logEvent, loggablePath } from '../lambda/provider/log';
import { routeAt } from '../lambda/provider/routes';
import type { HostedServer } from './hosted-server';

/** Bytes of a request's body. The largest that means something, a registration, has some thousand. */
const LARGEST_BODY = 256 * 1024;

/** Milliseconds for an answer. */
const TIME_LIMIT = 25_000;

/** Answers a request of Node's. Where it is not for a route of the authorization server, nothing happens, and the result is false. */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse) => Promise<boolean>;

/**
 * An authorization server as a handler of Node's requests, for `http.createServer` and for Express alike. It reads the body itself, so no
 * parser of bodies may stand before it.
 *
 * @param except paths of its routes that the host answers by itself, such as `/`
 */
export function nodeHandler(hosted: HostedServer, except: readonly string[] = []): NodeHandler {
  const { server, callbackPath, trustedProxies } = hosted;
  return async (req, res) => {
    const [path = '', query = ''] = splitAt(addressOf(req), '?');
    const route = except.includes(path) ? undefined : routeAt(path, callbackPath);
    if (!route) return false;
    const method = req.method ?? 'GET';
    const sourceIp = addressOfClient(req, trustedProxies);

    async function answer(methods: readonly string[]): Promise<HttpResponse> {
      if (!methods.includes(method)) {
        return json(405, { error: 'method_not_allowed' }, { allow: methods.join(', ') });
      }
      const body = await bodyOf(req);
      if (body === undefined) return json(413, { error: 'invalid_request' }, { connection: 'close' });
      const request: HttpRequest = { method, path, query, headers: headersOf(req), body, sourceIp };
      return server.handle(request, TIME_LIMIT);
    }

    await currentRequest.run({ id: randomUUID() }, async () => {
      try {
        const response = await answer(route.methods);
        send(res, response);
        logEvent('request.answered', { method, path: loggablePath(path), status: response.status, sourceIp });
      } catch (error) {
        // Nobody waits for the answer any more.
        if (!req.errored) throw error;
        res.destroy();
      }
    });
    return true;
  };
}

/**
 * What was asked for, whatever Express has made of it: path and query. A target may have a scheme and a host before them, as for a proxy, and is
 * to be accepted so (RFC 9112 section 3.2.2); which host, does not matter.
 */
export function addressOf(req: IncomingMessage & { readonly originalUrl?: string }): string {
  const target = req.originalUrl ?? req.url ?? '/';
  return target.replace(/^https?:\/\/[^/?]*\/?/i, '/');
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** undefined where it is too large. */
function bodyOf(req: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    if (req.readableEnded) {
      throw new Error('The body was read before: the authorization server has to stand before every parser of bodies');
    }
    const chunks: Buffer[] = [];
    let length = 0;
    const collect = (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= LARGEST_BODY) return;
      // What follows is not read: the answer ends the connection.
      req.off('data', collect).pause();
      resolve(undefined);
    };
    req.on('data', collect);
    req.on('end', () => resolve(Buffer.concat(chunks)));
    req.on('error', reject);
  });
}

/** Node has joined what was sent several times, but Set-Cookie, which no request has. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

/** Each proxy adds the address that it was called from at the end, so only so many from the end are not the client's own words. */
function addressOfClient({ headers, socket }: IncomingMessage, trustedProxies: number): string {
  // IPv4, on a socket that takes both.
  const peer = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
  if (trustedProxies === 0) return peer;
  const forwarded = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((address) => withoutPort(address.trim()))
    .filter(Boolean);
  return forwarded.at(-trustedProxies) ?? forwarded[0] ?? peer;
}

/** As some proxies write it: `203.0.113.7:5001`, `[2001:db8::7]:5001`, where each connection would be an address of its own. */
function withoutPort(address: string): string {
  return address.replace(/^([\d.]+):\d+$/, '$1').replace(/^\[(.+)\](?::\d+)?$/, '$1');
}

export function send(res: ServerResponse, { status, headers, cookies, body }: HttpResponse): void {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  // Beside those that the host's own middleware has set.
  if (cookies.length > 0) res.appendHeader('set-cookie', cookies);
  res.end(body);
}
