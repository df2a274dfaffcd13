import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

export interface TokenForwarder extends AsyncDisposable {
  /** What to connect to instead of the MCP server. */
  readonly url: string;
}

/** Stands between the MCP server and a client that cannot sign in: it adds the access token, and leaves all else as it is. */
export async function startTokenForwarder(mcpUrl: string, accessToken: string): Promise<TokenForwarder> {
  const target = new URL(mcpUrl);
  const server = createServer((incoming, outgoing) => {
    const { host, ...headers } = incoming.headers;
    const own = host === `localhost:${port()}`;
    const forwarded = send(
      { host: '127.0.0.1', port: target.port, path: incoming.url, method: incoming.method },
      (answer) => {
        // The client has left meanwhile.
        if (outgoing.destroyed) return answer.destroy();
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        pipeline(answer, outgoing, () => {});
      },
    );
    for (const [name, value] of Object.entries(headers)) forwarded.setHeader(name, value ?? '');
    forwarded.setHeader('host', own ? target.host : (host ?? ''));
    forwarded.setHeader('authorization', `Bearer ${accessToken}`);
    pipeline(incoming, forwarded, (error) => error && outgoing.destroy(error));
  });
  const port = () => (server.address() as AddressInfo).port;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${port()}${target.pathname}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
