import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on this machine that answers everything with one page, and remembers what it was asked. */
export interface LoopbackListener extends AsyncDisposable {
  readonly port: number;
  readonly requests: { readonly url: string; readonly headers: IncomingHttpHeaders }[];
}

/** @param body of the page; a word for the person where absent, as clients have it */
export async function startLoopbackListener(
  body = '<h1>You are connected</h1><p>Close this window.</p>',
): Promise<LoopbackListener> {
  const requests: LoopbackListener['requests'] = [];
  const server = createServer(({ url = '/', headers }, response) => {
    // Some browsers ask for an icon by themselves.
    if (url === '/favicon.ico') return response.writeHead(204).end();
    requests.push({ url, headers });
    const page = `<!doctype html><html lang="en"><title>Client</title><body>${body}</body></html>`;
    return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
  });
  // Every address of this machine that `localhost` may mean.
  server.listen(0);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
