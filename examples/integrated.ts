import { KeyvSqlite } from '@keyv/sqlite';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { Keyv } from 'keyv';
import { requireScope } from 'mcp-oidc-auth/bearer';
import { setupMcpExpress } from 'mcp-oidc-auth/mcp';
import { OidcClient } from 'mcp-oidc-auth/oidc';

const { BASE_URL = 'http://localhost:3000', PORT = '3000' } = process.env;

const { app, handleMcpRequest } = setupMcpExpress({
  // The identity provider that you have.
  idpClient: new OidcClient({
    issuer: process.env.OIDC_ISSUER!,
    clientId: process.env.OIDC_CLIENT_ID!,
    clientSecret: process.env.OIDC_CLIENT_SECRET!,
    redirectUri: `${BASE_URL}/oauth/callback`,
  }),
  store: new Keyv({ store: new KeyvSqlite({ uri: 'sqlite://mcp.db' }) }),
  baseUrl: BASE_URL,
  secret: process.env.SESSION_SECRET!,
  jwks: 'store', // made here, kept in the store, and turned over by themselves
  scopesSupported: [
    { name: 'reports:read', description: 'Read your reports', default: true },
    { name: 'reports:write', description: 'Change your reports' },
  ],
});

// From here on only people who consented get through.
handleMcpRequest(async (req, res) => {
  const { user, auth } = req;
  const mcp = createMcpHandler(() => {
    const server = new McpServer({ name: 'reports', version: '1.0.0' });
    server.registerTool('whoami', { description: 'Says who is calling' }, () => ({
      content: [{ type: 'text', text: JSON.stringify(user) }],
    }));
    server.registerTool('update_report', { description: 'Changes a report' }, () => {
      requireScope(auth, 'reports:write'); // throws InsufficientScopeError
      return { content: [{ type: 'text', text: 'done' }] };
    });
    return server;
  });
  await toNodeHandler(mcp)(req, res, req.body);
});

app.listen(Number(PORT), () => console.log(`${BASE_URL}/mcp`));
