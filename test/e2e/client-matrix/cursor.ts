import type { MatrixClient } from './client';
import { TYPESCRIPT_SDK } from './typescript-sdk';

const REDIRECT_URIS = [
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  'http://localhost:8787/callback',
];

/**
 * Cursor, whose source is closed.
 *
 * Known:
 * - It registers, with three redirect URIs in one request: https://github.com/erp-mafia/accounted/pull/2225, and has no document:
 *   https://forum.cursor.com/t/mcp-oauth-cimd-support-plans-and-timelines/148096.
 * - The registration's other members, `application_type` as `web`: https://github.com/better-auth/better-auth/issues/10946; left out in
 *   some versions: https://github.com/better-auth/better-auth/pull/10956.
 * - The desktop app comes back to loopback since 3.10.17, before that to its own scheme:
 *   https://forum.cursor.com/t/oauth-redirect-uri-changed-from-cursor-to-http-localhost-for-streamable-http-mcp/165019.
 * - It asks for no scope: https://github.com/cloudflare/mcp-server-cloudflare/issues/457.
 * - The order of discovery and registration: trace in https://github.com/gamedevpl/www.gamedev.pl/pull/483. There it probed the well-known
 *   addresses at the root of the host; on the URL of a REST API, with its stage, that finds nothing, so here it reads the challenge.
 *
 * Assumed: `client_name`, and that all requests after that are the TypeScript SDK's, on which it is built
 * (https://forum.cursor.com/t/mcp-http-sse-oauth-sdk-silently-fails-to-open-browser-after-mcp-oauth-redirect-to-authorization-3-2-11-latest/160328).
 */
const client = (name: string, redirectUri: string, metadata: object): MatrixClient => ({
  ...TYPESCRIPT_SDK,
  name,
  identity: {
    registration: () => ({
      client_name: 'Cursor',
      redirect_uris: REDIRECT_URIS,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      ...metadata,
    }),
  },
  redirectUri,
  scope: () => undefined,
});

export const CURSOR: readonly MatrixClient[] = [
  client('Cursor', 'http://localhost:8787/callback', {}),
  client('Cursor before 3.10.17', 'cursor://anysphere.cursor-mcp/oauth/callback', { application_type: 'web' }),
  client('Cursor’s agents on the web', 'https://www.cursor.com/agents/mcp/oauth/callback', {}),
];
