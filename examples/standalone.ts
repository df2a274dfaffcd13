import { createOidcServer, OidcClient } from 'mcp-oidc-auth/oidc';

const { PORT = '4001', OIDC_BASE_URL = 'http://localhost:4001' } = process.env;
const { MCP_URL = 'http://localhost:3001/mcp' } = process.env;

const server = createOidcServer({
  // The identity provider that you have.
  idpClient: new OidcClient({
    issuer: process.env.UPSTREAM_ISSUER!,
    clientId: process.env.UPSTREAM_CLIENT_ID!,
    clientSecret: process.env.UPSTREAM_CLIENT_SECRET!,
    redirectUri: `${OIDC_BASE_URL}/oauth/callback`,
    allow: [{ claim: 'email', values: ['@example.com'] }], // who may sign in
  }),
  store: 'sqlite:mcp.db', // or redis://..., postgres://..., or a Keyv
  secret: process.env.SESSION_SECRET!,
  jwks: 'store', // signing keys are made, kept in the store, and rotated automatically
  baseUrl: OIDC_BASE_URL,
  port: Number(PORT),
  // Your MCP servers, in any language.
  resources: [
    { identifier: MCP_URL, name: 'Reports', scopes: [{ name: 'reports:read', description: 'Read your reports' }] },
  ],
  onListen: (baseUrl) => console.log(`The authorization server is ${baseUrl}`),
});

server.start();
process.once('SIGTERM', () => server.stop());
