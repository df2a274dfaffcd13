// app/mcp/route.ts
import { createMcpHandler } from '@modelcontextprotocol/server';
import { BearerError, verifyBearer } from 'mcp-oidc-auth/bearer';
import { mcpServer } from './mcp-server';

const { OIDC_BASE_URL: issuer = 'http://localhost:4001', MCP_BASE_URL = 'http://localhost:3001' } = process.env;
const audience = `${MCP_BASE_URL}/mcp`;
const scopes = ['reports:read'];

async function answer(request: Request): Promise<Response> {
  try {
    const authorization = request.headers.get('authorization') ?? undefined;
    const bearer = await verifyBearer(authorization, { issuer, audience, scopes });
    return await createMcpHandler(() => mcpServer(bearer)).fetch(request);
  } catch (error) {
    if (!(error instanceof BearerError)) throw error;
    return Response.json(error.body, { status: error.status, headers: error.headers });
  }
}

export { answer as DELETE, answer as GET, answer as POST };

// app/.well-known/oauth-protected-resource/mcp/route.ts exports this as GET.
export function metadata(): Response {
  return Response.json({
    resource: audience,
    authorization_servers: [issuer],
    scopes_supported: scopes,
    bearer_methods_supported: ['header'],
  });
}
