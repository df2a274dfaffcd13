/** The public face of `mcp-oidc-auth/oidc`: an authorization server to run beside an MCP server. */
export { OidcClient, type OidcClientConfig, type UserClaims } from './oidc-client';
export type { AllowRule, AppearanceOption, JwkSet, LifetimeOptions, ResourceOption, ScopeOption } from './options';
export { type SettingProblem, SettingsError } from './settings';
export { createOidcServer, type OidcServer, type OidcServerOptions } from './standalone';
