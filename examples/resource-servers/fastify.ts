import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import fastify from 'fastify';
import { BearerError, verifyBearer } from 'mcp-oidc-auth/bearer';
import { mcpServer } from './mcp-server';

const { OIDC_BASE_URL: issuer = 'http://localhost:4001', MCP_BASE_URL = 'http://localhost:3001' } = process.env;
const { PORT = '3001' } = process.env;
const audience = `${MCP_BASE_URL}/mcp`;
const scopes = ['reports:read'];

const app = fastify();
app.get('/.well-known/oauth-protected-resource/mcp', () => ({
  resource: audience,
  authorization_servers: [issuer],
  scopes_supported: scopes,
  bearer_methods_supported: ['header'],
}));
app.all('/mcp', async (request, reply) => {
  try {
    // Joined, two headers are refused; by itself Node.js would show the first.
    const authorization = request.raw.headersDistinct.authorization?.join(', ');
    const bearer = await verifyBearer(authorization, { issuer, audience, scopes });
    reply.hijack();
    await toNodeHandler(createMcpHandler(() => mcpServer(bearer)))(request.raw, reply.raw, request.body);
  } catch (error) {
    if (!(error instanceof BearerError)) throw error;
    return reply.code(error.status).headers(error.headers).send(error.body);
  }
});
app.listen({ port: Number(PORT) }).then(() => console.log(audience));
