import { createMcpHandler } from '@modelcontextprotocol/server';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { BearerError, verifyBearer } from 'mcp-oidc-auth/bearer';
import { mcpServer } from './mcp-server';

const { OIDC_BASE_URL: issuer = 'http://localhost:4001', MCP_BASE_URL = 'http://localhost:3001' } = process.env;
const audience = `${MCP_BASE_URL}/mcp`;
const scopes = ['reports:read'];

const app = new Hono();
app.use(cors({ origin: '*', exposeHeaders: ['WWW-Authenticate', 'Mcp-Session-Id', 'Retry-After'] }));
app.get('/.well-known/oauth-protected-resource/mcp', (c) =>
  c.json({
    resource: audience,
    authorization_servers: [issuer],
    scopes_supported: scopes,
    bearer_methods_supported: ['header'],
  }),
);
app.all('/mcp', async (c) => {
  try {
    const bearer = await verifyBearer(c.req.header('authorization'), { issuer, audience, scopes });
    return await createMcpHandler(() => mcpServer(bearer)).fetch(c.req.raw);
  } catch (error) {
    if (!(error instanceof BearerError)) throw error;
    return c.json(error.body, error.status, error.headers);
  }
});
export default app;
