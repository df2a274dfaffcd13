import { randomUUID } from 'node:crypto';
import { type Discovered, type MatrixClient, STREAMABLE_HTTP, union } from './client';

/**
 * What a client takes over from the official TypeScript SDK (`auth()` and its transport) when it is built on it.
 * https://github.com/modelcontextprotocol/typescript-sdk/blob/v1.x/src/client/auth.ts
 */
export const TYPESCRIPT_SDK = {
  mcpHeaders: (method) => ({
    ...STREAMABLE_HTTP,
    'mcp-protocol-version': method === 'initialize' ? undefined : '2025-11-25',
  }),
  discovery: [
    { what: 'initialize' },
    { what: 'resource', headers: { 'mcp-protocol-version': '2025-11-25' } },
    { what: 'server', headers: { 'mcp-protocol-version': '2025-11-25', accept: 'application/json' } },
  ],
  needs: ({ mcpUrl, resource, server }) => ({
    'the resource is the MCP server, or above it': mcpUrl.startsWith(resource.resource),
    'the code flow': (server.response_types_supported as string[]).includes('code'),
    'PKCE with S256': (server.code_challenge_methods_supported as string[]).includes('S256'),
  }),
  scope: withOfflineAccess,
  resource: ({ resource }) => resource.resource,
  state: randomUUID,
  authorization: ({ clientId, redirectUri, state, codeChallenge, resource, scope }) => ({
    response_type: 'code',
    client_id: clientId,
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    redirect_uri: redirectUri,
    state,
    scope,
    prompt: scope?.split(' ').includes('offline_access') ? 'consent' : undefined,
    resource,
  }),
  authentication: 'none',
  redemption: ({ clientId, redirectUri, code, codeVerifier, resource }) => ({
    grant_type: 'authorization_code',
    code,
    code_verifier: codeVerifier,
    redirect_uri: redirectUri,
    resource,
    client_id: clientId,
  }),
  refresh: ({ clientId, refreshToken, resource }) => ({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    resource,
    client_id: clientId,
  }),
} satisfies Partial<MatrixClient>;

/** The challenge's scopes, else the listed ones, and offline_access where the authorization server has it. */
function withOfflineAccess({ challenge, resource, server }: Discovered): string | undefined {
  const scope = challenge.scope ?? resource.scopes_supported?.join(' ');
  return scope && server.scopes_supported.includes('offline_access') ? union(scope, 'offline_access') : scope;
}
