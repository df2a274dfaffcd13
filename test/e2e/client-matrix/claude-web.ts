import { randomBytes } from 'node:crypto';
import { type Discovered, type MatrixClient, type PublishedDocument, STREAMABLE_HTTP, union } from './client';

/**
 * Claude on the web, on the desktop and on the phone: the requests come from Anthropic's cloud.
 *
 * Known:
 * - The order of the requests, the metadata of the authorization server read twice: traces in
 *   https://github.com/anthropics/claude-ai-mcp/issues/35 and /issues/64.
 * - Headers of discovery, and the parameters of the authorization request in their order:
 *   trace in https://github.com/anthropics/claude-ai-mcp/issues/764.
 * - Later requests to the MCP server without MCP-Protocol-Version: https://github.com/anthropics/claude-ai-mcp/issues/70.
 * - Where the document is, and its redirect URI: https://github.com/anthropics/claude-ai-mcp/issues/518.
 * - The registration's body: captured in https://github.com/PostHog/posthog/pull/48397; that each connection registers
 *   twice: https://github.com/anthropics/claude-ai-mcp/issues/966; that a secret goes into the body of token requests:
 *   https://github.com/anthropics/claude-ai-mcp/issues/667.
 * - A document is used only where the metadata has both the flag and `none`; `resource` on authorization and token requests,
 *   spelled without a slash at its end; offline_access where it is advertised: https://claude.com/docs/connectors/building/authentication
 *   and https://claude.com/docs/connectors/building/troubleshooting.
 * - Has been seen to ask for all that the authorization server lists: https://github.com/anthropics/claude-ai-mcp/issues/228.
 *
 * Assumed: the members of the document beside the two known ones, the order of the parameters of token requests, `resource` on a
 * refresh, and that calls name no tool in a header, which the revision 2025-11-25 does not know.
 */
const CLAUDE = {
  headers: { 'user-agent': 'python-httpx/0.28.1' },
  mcpHeaders: () => STREAMABLE_HTTP,
  discovery: [
    { what: 'initialize' },
    { what: 'resource', headers: { accept: '*/*', 'mcp-protocol-version': '2025-11-25' } },
    { what: 'server', headers: { accept: '*/*', 'mcp-protocol-version': '2025-11-25' } },
  ],
  beforeToken: [{ what: 'server', headers: { accept: '*/*', 'mcp-protocol-version': '2025-11-25' } }],
  needs: ({ mcpUrl, resource, server }: Discovered) => ({
    'the resource is the MCP server’s URL as the person entered it': resource.resource === mcpUrl,
    client_id_metadata_document_supported: server.client_id_metadata_document_supported === true,
    none: server.token_endpoint_auth_methods_supported.includes('none'),
  }),
  redirectUri: 'https://claude.ai/api/mcp/auth_callback',
  resource: ({ mcpUrl }: Discovered) => mcpUrl,
  state: () => randomBytes(32).toString('base64url'),
  authorization: ({ clientId, redirectUri, codeChallenge, state, scope, resource }) => ({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    state,
    scope,
    resource,
  }),
  redemption: ({ clientId, redirectUri, code, codeVerifier, resource }) => ({
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    client_id: clientId,
    code_verifier: codeVerifier,
    resource,
  }),
  refresh: ({ clientId, refreshToken, resource }) => ({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: clientId,
    resource,
  }),
} satisfies Partial<MatrixClient>;

const DOCUMENT: PublishedDocument = {
  publishedAt: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
  metadata: {
    client_name: 'Claude',
    redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
};

export const CLAUDE_WEB: readonly MatrixClient[] = [
  {
    ...CLAUDE,
    name: 'Claude (web), by its document',
    identity: { document: DOCUMENT },
    authentication: 'none',
    scope: ({ challenge }) => union(challenge.scope, 'offline_access'),
  },
  {
    ...CLAUDE,
    name: 'Claude (web), registered with a secret, for all scopes that are advertised',
    identity: {
      registration: () => ({
        redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        client_name: 'Claude',
      }),
      times: 2,
    },
    authentication: 'client_secret_post',
    scope: ({ server }) => server.scopes_supported.join(' '),
  },
];
