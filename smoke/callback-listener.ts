import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where the browser brings the answer to an authorization request (RFC 8252 section 7.3). */
export interface CallbackListener extends AsyncDisposable {
  readonly redirectUri: string;
  /** The parameters of the answer. */
  readonly answer: Promise<URLSearchParams>;
}

export async function listenForCallback(): Promise<CallbackListener> {
  const server = createServer();
  const answer = new Promise<URLSearchParams>((resolve) => {
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
      if (pathname !== '/callback') return response.writeHead(404).end();
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end('Close this window: the terminal goes on.');
      return resolve(searchParams);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    redirectUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    answer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
