/** The public face of `mcp-oidc-auth/oidc`: an authorization server to run beside an MCP server. */
export { OidcClient, type OidcClientConfig, type UserClaims } from './oidc-client';
export type { AllowRule, JwkSet, ResourceOption, ScopeOption } from './options';
export { createOidcServer, type OidcServer, type OidcServerOptions } from './standalone';
