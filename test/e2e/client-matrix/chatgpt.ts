import { randomBytes } from 'node:crypto';
import { type MatrixClient, type PublishedDocument, STREAMABLE_HTTP } from './client';

/**
 * ChatGPT: the requests come from OpenAI's cloud.
 *
 * Known:
 * - Its document for authorization servers that send `iss`: https://github.com/django-oauth/django-oauth-toolkit/issues/1845; the document for one
 *   connector, with a redirect URI of its own: https://github.com/Altinity/altinity-mcp/issues/118.
 * - It signs with its key where the metadata offers private_key_jwt: https://github.com/engram-app/Engram/pull/1637; and does without where it is
 *   not offered: https://github.com/gamedevpl/www.gamedev.pl/pull/641.
 * - `resource`, the MCP server's URL, on authorization and token requests; the redirect URIs: https://developers.openai.com/apps-sdk/build/auth.
 * - The parameters of an authorization request in their order, an empty `scope` where it knows of none, and the form of the state:
 *   trace in https://github.com/PrefectHQ/fastmcp/issues/1794.
 * - What a registration has at least: https://github.com/Dexter-DAO/dexter-mcp/issues/3.
 *
 * Assumed: that it asks for the scopes that the resource's metadata lists, the claims of its assertion (those of RFC 7523, the
 * issuer as audience), the order of the parameters of token requests, `resource` on a refresh, and that calls name no tool in a header.
 */
const CHATGPT_CONNECTOR = {
  mcpHeaders: () => STREAMABLE_HTTP,
  discovery: [{ what: 'initialize' }, { what: 'resource', headers: {} }, { what: 'server', headers: {} }],
  needs: ({ mcpUrl, resource, server }) => ({
    'the resource is the MCP server’s URL': resource.resource === mcpUrl,
    'PKCE with S256': (server.code_challenge_methods_supported as string[]).includes('S256'),
    'iss, so that one redirect URI does for all connectors':
      server.authorization_response_iss_parameter_supported === true,
  }),
  scope: ({ resource }) => resource.scopes_supported?.join(' '),
  resource: ({ mcpUrl }) => mcpUrl,
  state: () => `oauth_s_${randomBytes(16).toString('hex')}`,
  authorization: ({ clientId, redirectUri, state, scope, codeChallenge, resource }) => ({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    scope,
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    resource,
  }),
  redemption: ({ clientId, redirectUri, code, codeVerifier, resource }) => ({
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: redirectUri,
    code_verifier: codeVerifier,
    resource,
  }),
  refresh: ({ clientId, refreshToken, resource }) => ({
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: refreshToken,
    resource,
  }),
} satisfies Partial<MatrixClient>;

/** Its `jwks_uri` is https://chatgpt.com/oauth/jwks.json; the keys are the host's, which serves them there instead. */
export const CHATGPT_DOCUMENT: PublishedDocument = {
  publishedAt: 'https://chatgpt.com/oauth/client.json',
  metadata: {
    client_uri: 'https://chatgpt.com/',
    redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    client_name: 'ChatGPT',
    logo_uri: 'https://persistent.oaistatic.com/sonic/misc/openai-logo.png',
    token_endpoint_auth_signing_alg: 'RS256',
  },
};

/** Without a choice of methods, as it was in May 2026. */
export const CHATGPT_CONNECTOR_DOCUMENT: PublishedDocument = {
  publishedAt: 'https://chatgpt.com/oauth/kDmjx77UnKOM/client.json',
  metadata: {
    client_uri: 'https://chatgpt.com/',
    redirect_uris: ['https://chatgpt.com/connector/oauth/kDmjx77UnKOM'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    client_name: 'ChatGPT',
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'RS256',
  },
};

export const CHATGPT: readonly MatrixClient[] = [
  {
    ...CHATGPT_CONNECTOR,
    name: 'ChatGPT, by its document and a key',
    identity: { document: CHATGPT_DOCUMENT },
    authentication: 'private_key_jwt',
    redirectUri: 'https://chatgpt.com/connector_platform_oauth_redirect',
  },
  {
    ...CHATGPT_CONNECTOR,
    name: 'ChatGPT, by its document without a key',
    identity: { document: CHATGPT_DOCUMENT },
    authentication: 'none',
    redirectUri: 'https://chatgpt.com/connector_platform_oauth_redirect',
  },
  {
    ...CHATGPT_CONNECTOR,
    name: 'ChatGPT, by the document of one connector',
    identity: { document: CHATGPT_CONNECTOR_DOCUMENT },
    authentication: 'private_key_jwt',
    redirectUri: 'https://chatgpt.com/connector/oauth/kDmjx77UnKOM',
  },
  {
    ...CHATGPT_CONNECTOR,
    name: 'ChatGPT, registered, with an empty scope',
    identity: {
      registration: () => ({
        client_name: 'ChatGPT',
        redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      }),
    },
    authentication: 'none',
    scope: () => '',
    redirectUri: 'https://chatgpt.com/connector_platform_oauth_redirect',
  },
];
