import { randomBytes } from 'node:crypto';
import type { MatrixClient } from './client';
import { TYPESCRIPT_SDK } from './typescript-sdk';

const METADATA = {
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  client_name: 'MCP Inspector',
  client_uri: 'https://github.com/modelcontextprotocol/inspector',
};

const state = () => randomBytes(32).toString('hex');

/**
 * MCP Inspector, from its source.
 * - The web page of the 0.x line with a direct connection, where the browser itself asks the MCP server and the authorization server:
 *   https://github.com/modelcontextprotocol/inspector/blob/main/client/src/lib/auth.ts, on the TypeScript SDK. Its `scope` is empty until somebody
 *   fills it in. The person may come back to the page of its debugger, which is registered too.
 * - The command line, 2.12.0: recorded from the package on npm, which is on the SDK's second line.
 */
export const INSPECTOR: readonly MatrixClient[] = [
  {
    ...TYPESCRIPT_SDK,
    name: 'MCP Inspector in the browser',
    origin: 'http://localhost:6274',
    identity: {
      registration: () => ({
        redirect_uris: ['http://localhost:6274/oauth/callback', 'http://localhost:6274/oauth/callback/debug'],
        ...METADATA,
        scope: '',
      }),
    },
    redirectUri: 'http://localhost:6274/oauth/callback/debug',
    state,
  },
  {
    ...TYPESCRIPT_SDK,
    name: 'MCP Inspector on the command line',
    identity: {
      registration: (discovered) => ({
        redirect_uris: ['http://127.0.0.1:6276/oauth/callback'],
        ...METADATA,
        scope: TYPESCRIPT_SDK.scope(discovered),
        application_type: 'native',
      }),
    },
    redirectUri: 'http://127.0.0.1:6276/oauth/callback',
    state,
  },
];
