import type { MatrixClient, PublishedDocument } from './client';
import { TYPESCRIPT_SDK } from './typescript-sdk';

/**
 * Claude Code.
 *
 * Known:
 * - Its document, whole as it was in September 2026, and that its redirect URIs have no port while its requests do, on `localhost`
 *   and in some versions on `127.0.0.1`: https://github.com/anthropics/claude-code/issues/41011,
 *   https://github.com/anthropics/claude-code/issues/37747, https://github.com/anthropics/claude-code/issues/64705; no `logo_uri`:
 *   https://github.com/anthropics/claude-code/issues/44388.
 * - Parameters of the authorization request, in the order of the TypeScript SDK: https://github.com/anthropics/claude-code/issues/12077.
 *   The order of discovery, and the words of its errors, are the SDK's too: https://github.com/taylorwilsdon/google_workspace_mcp/issues/382,
 *   https://github.com/render-oss/render-mcp-server/issues/25.
 * - Several processes share one refresh token: https://github.com/anthropics/claude-code/issues/84440.
 * - offline_access is added where it is advertised: https://code.claude.com/docs/en/mcp.
 *
 * Assumed: the token requests are the SDK's, and its calls name no tool in a header. It registers itself only where the metadata does not
 * say that documents are supported, which this server's always does.
 */
export const CLAUDE_CODE_DOCUMENT: PublishedDocument = {
  publishedAt: 'https://claude.ai/oauth/claude-code-client-metadata',
  metadata: {
    client_name: 'Claude Code',
    client_uri: 'https://claude.ai',
    redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
};

export const CLAUDE_CODE: readonly MatrixClient[] = ['localhost', '127.0.0.1'].map((host) => ({
  ...TYPESCRIPT_SDK,
  name: `Claude Code, at ${host}`,
  identity: { document: CLAUDE_CODE_DOCUMENT },
  redirectUri: `http://${host}:52163/callback`,
  processes: 2,
}));
