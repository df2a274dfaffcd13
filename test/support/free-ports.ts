import { once } from 'node:events';
import { createServer } from 'node:net';

/** The first of three free ports in a row, which is what `mcp-oidc-auth start` takes. */
export async function freePorts(): Promise<number> {
  for (;;) {
    const servers = [createServer().listen(0, '127.0.0.1')];
    await once(servers[0]!, 'listening');
    const { port } = servers[0]!.address() as { port: number };
    const others = await Promise.all(
      [port + 1, port + 2].map(async (next) => {
        const server = createServer();
        servers.push(server);
        server.listen(next, '127.0.0.1');
        return once(server, 'listening').then(
          () => true,
          () => false,
        );
      }),
    );
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    if (others.every(Boolean)) return port;
  }
}
