import { KeyvSqlite } from '@keyv/sqlite';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, requireScopes } from '@modelcontextprotocol/server';
import { Keyv } from 'keyv';
import { setupMcpExpress } from 'mcp-oidc-auth/mcp';
import { OidcClient } from 'mcp-oidc-auth/oidc';

const { BASE_URL = 'http://localhost:3000', PORT = '3000' } = process.env;

const { app, handleMcpRequest } = setupMcpExpress({
  // The identity provider that you have.
  idpClient: new OidcClient({
    issuer: process.env.UPSTREAM_ISSUER!,
    clientId: process.env.UPSTREAM_CLIENT_ID!,
    clientSecret: process.env.UPSTREAM_CLIENT_SECRET!,
    redirectUri: `${BASE_URL}/oauth/callback`,
    allow: [{ claim: 'email', values: ['@example.com'] }], // who may sign in
  }),
  store: new Keyv({ store: new KeyvSqlite({ uri: 'sqlite://mcp.db' }) }),
  baseUrl: BASE_URL,
  secret: process.env.SESSION_SECRET!,
  jwks: 'store', // signing keys are made, kept in the store, and rotated automatically
  scopesSupported: [
    { name: 'reports:read', description: 'Read your reports', default: true },
    { name: 'reports:write', description: 'Change your reports' },
  ],
});

// Your MCP server.
const mcp = createMcpHandler(() => {
  const server = new McpServer({ name: 'reports', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Says who is calling' }, ({ http }) => ({
    content: [{ type: 'text', text: JSON.stringify(http?.authInfo?.extra) }],
  }));
  server.registerTool(
    'update_report',
    { description: 'Changes a report', scopeChallenge: requireScopes('reports:read', 'reports:write') },
    () => ({ content: [{ type: 'text', text: 'done' }] }),
  );
  return server;
});

// Only people who consented get here. req.user says who it is.
const answer = toNodeHandler(mcp);
handleMcpRequest((req, res) => answer(req, res, req.body));

app.listen(Number(PORT), () => console.log(`${BASE_URL}/mcp`));
