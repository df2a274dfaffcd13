import { type MatrixClient, STREAMABLE_HTTP, union } from './client';
import { TYPESCRIPT_SDK } from './typescript-sdk';

/**
 * mcp-remote 0.15.1, recorded from the package on npm, and its source: https://github.com/punkpeye/mcp-remote. It is on the SDK's second line, names
 * the method and the tool in headers, and looks everything up twice: by itself when it starts, and in the SDK. Its port is derived
 * from the server's URL. Unlike the SDK it repeats the granted scopes on a refresh.
 */
export const MCP_REMOTE: readonly MatrixClient[] = [
  {
    ...TYPESCRIPT_SDK,
    name: 'mcp-remote 0.15',
    mcpHeaders: (method, tool) => ({
      ...STREAMABLE_HTTP,
      'mcp-method': method === 'GET' ? undefined : method,
      'mcp-name': tool,
      'mcp-protocol-version': method === 'initialize' ? undefined : '2025-11-25',
    }),
    discovery: [
      { what: 'stream' },
      { what: 'resource', headers: { accept: 'application/json', 'accept-encoding': 'identity' } },
      { what: 'server', headers: { accept: 'application/json', 'accept-encoding': 'identity' } },
      { what: 'stream' },
      ...TYPESCRIPT_SDK.discovery,
    ],
    identity: {
      registration: (discovered) => ({
        redirect_uris: ['http://localhost:40210/oauth/callback'],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        client_name: 'MCP CLI Proxy',
        client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
        software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
        software_version: '0.15.1',
        scope: TYPESCRIPT_SDK.scope(discovered),
        application_type: 'native',
      }),
    },
    redirectUri: 'http://localhost:40210/oauth/callback',
    refresh: (refresh) => ({ ...TYPESCRIPT_SDK.refresh(refresh), scope: refresh.granted }),
    stepUp: (discovered, challenged) => union(discovered.challenge.scope, challenged, 'offline_access'),
  },
];
