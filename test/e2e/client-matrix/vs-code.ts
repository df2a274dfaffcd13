import { randomBytes } from 'node:crypto';
import { type MatrixClient, type PublishedDocument, STREAMABLE_HTTP } from './client';

const ACCEPT = { accept: 'application/json' };

/**
 * VS Code, all of it from its source (July 2026):
 * - Registration, and how both metadata documents are read and checked:
 *   https://github.com/microsoft/vscode/blob/main/src/vs/base/common/oauth.ts
 * - The authorization request, the state in padded base64, the ports: https://github.com/microsoft/vscode/blob/main/src/vs/workbench/api/node/extHostAuthentication.ts
 * - Token requests: https://github.com/microsoft/vscode/blob/main/src/vs/workbench/api/common/extHostAuthentication.ts
 * - The scopes, the challenge's or the listed ones, the headers of discovery and of calls, which have no MCP-Protocol-Version:
 *   https://github.com/microsoft/vscode/blob/main/src/vs/workbench/api/common/extHostMcp.ts
 * - Its document: https://vscode.dev/oauth/client-metadata.json, discussed in https://github.com/microsoft/vscode/issues/298300
 */
const VS_CODE_ON_DESKTOP = {
  headers: { 'user-agent': 'Visual Studio Code/1.130.0' },
  mcpHeaders: () => STREAMABLE_HTTP,
  discovery: [
    { what: 'initialize' },
    // The protocol version goes to the MCP server's own origin only.
    { what: 'resource', headers: { ...ACCEPT, 'mcp-protocol-version': '2025-11-25' } },
    { what: 'server', headers: ACCEPT },
  ],
  needs: ({ mcpUrl, resource }) => ({
    'the resource is the MCP server’s URL': new URL(resource.resource).href === new URL(mcpUrl).href,
  }),
  scope: ({ challenge, resource }) => challenge.scope ?? resource.scopes_supported?.join(' '),
  resource: ({ resource }) => resource.resource,
  state: () => randomBytes(16).toString('base64'),
  authorization: ({ clientId, redirectUri, codeChallenge, state, scope, resource }) => ({
    client_id: clientId,
    response_type: 'code',
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    scope,
    resource,
    redirect_uri: redirectUri,
    state,
  }),
  authentication: 'none',
  redemption: ({ clientId, redirectUri, code, codeVerifier, resource }) => ({
    client_id: clientId,
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: codeVerifier,
    resource,
  }),
  refresh: ({ clientId, refreshToken, resource }) => ({
    client_id: clientId,
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    resource,
  }),
} satisfies Partial<MatrixClient>;

export const VS_CODE_DOCUMENT: PublishedDocument = {
  publishedAt: 'https://vscode.dev/oauth/client-metadata.json',
  metadata: {
    client_name: 'Visual Studio Code',
    logo_uri: 'https://code.visualstudio.com/assets/branding/code-stable.png',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    client_uri: 'https://vscode.dev/product',
    redirect_uris: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
  },
};

const GRANT_TYPES = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'];

export const VS_CODE: readonly MatrixClient[] = [
  {
    ...VS_CODE_ON_DESKTOP,
    name: 'VS Code, by its document',
    identity: { document: VS_CODE_DOCUMENT },
    redirectUri: 'http://127.0.0.1:33418/',
  },
  {
    ...VS_CODE_ON_DESKTOP,
    name: 'VS Code, by its document, where another window has the port',
    identity: { document: VS_CODE_DOCUMENT },
    redirectUri: 'http://127.0.0.1:50123/',
  },
  {
    ...VS_CODE_ON_DESKTOP,
    name: 'VS Code, registered, on another machine than its window',
    identity: {
      registration: ({ challenge, server }) => ({
        client_name: 'Visual Studio Code',
        client_uri: 'https://code.visualstudio.com',
        grant_types: server.grant_types_supported.filter((grant) => GRANT_TYPES.includes(grant)),
        response_types: ['code'],
        redirect_uris: [
          'https://insiders.vscode.dev/redirect',
          'https://vscode.dev/redirect',
          'http://127.0.0.1/',
          'http://127.0.0.1:33418/',
        ],
        scope: challenge.scope,
        token_endpoint_auth_method: 'none',
        application_type: 'native',
      }),
    },
    redirectUri: 'https://vscode.dev/redirect',
    // There the state is the address that vscode.dev sends the browser on to.
    state: () => `vscode://dynamicauthprovider/localhost/redirect?nonce=${randomBytes(8).toString('hex')}`,
  },
];
