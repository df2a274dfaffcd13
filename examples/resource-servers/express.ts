import { KeyvSqlite } from '@keyv/sqlite';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { ProxyOAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/providers/proxyProvider.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';
import { Keyv } from 'keyv';
import { createMcpAuthProvider } from 'mcp-oidc-auth/mcp';

const { OIDC_BASE_URL = 'http://localhost:4001', MCP_BASE_URL = 'http://localhost:3001' } = process.env;
const { PORT = '3001' } = process.env;

const { proxyOAuthServerProviderConfig, mcpRoutes, resourceMetadataUrl } = createMcpAuthProvider({
  oidcBaseUrl: OIDC_BASE_URL,
  // The database of the authorization server.
  store: new Keyv({ store: new KeyvSqlite({ uri: 'sqlite://mcp.db' }) }),
  mcpServerBaseUrl: MCP_BASE_URL,
  scopesSupported: ['reports:read'],
});
const authProvider = new ProxyOAuthServerProvider(proxyOAuthServerProviderConfig);

const app = express();
app.use(mcpRoutes);
app.use(express.json());
app.post(
  '/mcp',
  requireBearerAuth({ verifier: authProvider, resourceMetadataUrl, requiredScopes: ['reports:read'] }),
  async (req, res) => {
    const server = new McpServer({ name: 'reports', version: '1.0.0' });
    server.registerTool('whoami', { description: 'Says who is calling' }, ({ authInfo }) => ({
      content: [{ type: 'text', text: JSON.stringify(authInfo?.extra) }],
    }));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
    res.on('close', () => server.close());
    await server.connect(transport);
    await transport.handleRequest(req, res, req.body);
  },
);
app.listen(Number(PORT), () => console.log(`${MCP_BASE_URL}/mcp`));
