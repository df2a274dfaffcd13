import './express-request';

export { SettingsError } from '../settings';
export {
  type ClientInfo,
  createMcpAuthProvider,
  type McpAuthProviderOptions,
  type McpAuthProviderResult,
  type ProxyOAuthServerProviderConfig,
} from './auth-provider';
export type { AuthInfo, Person, Person as AuthenticatedUser } from './caller';
export { getIdpTokens, type UpstreamToken, UpstreamTokenError } from './idp-tokens';
export {
  type McpExpress,
  // By the names that mcp-oidc-provider has for them.
  type McpExpress as McpExpressSetupResult,
  type McpExpressOptions,
  type McpExpressOptions as McpExpressSetupOptions,
  type McpRequestHandler,
  setupMcpExpress,
} from './setup-express';
