import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Bearer, BearerError, verifyBearer } from 'mcp-oidc-auth/bearer';

const { ISSUER: issuer = '', MCP_URL: audience = '', PORT } = process.env;
const metadataPath = `/.well-known/oauth-protected-resource${new URL(audience).pathname}`;

const server = createServer(async (request, response) => {
  // RFC 9728: where clients sign in. The challenge below leads them here.
  if (request.url === metadataPath) {
    json(response, 200, { resource: audience, authorization_servers: [issuer], scopes_supported: ['reports:read'] });
    return;
  }
  try {
    const caller = await verifyBearer(request.headers.authorization, { issuer, audience, scopes: ['reports:read'] });
    await serve(caller, request, response);
  } catch (error) {
    if (!(error instanceof BearerError)) {
      console.error(error);
      json(response, 500, { error: 'server_error' });
      return;
    }
    json(response, error.status, error.body, error.headers);
  }
});
// For longer than the load balancer keeps a connection (60 seconds): else it sends requests into some that have just been closed.
server.keepAliveTimeout = 65_000;
server.listen(Number(PORT), () => console.log(`Listening on ${PORT}`));

/** Your MCP server. */
async function serve(caller: Bearer, _request: IncomingMessage, response: ServerResponse): Promise<void> {
  json(response, 200, { sub: caller.sub, client_id: caller.client_id });
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body));
}
