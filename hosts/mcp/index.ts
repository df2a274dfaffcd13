export type { AuthInfo } from './auth-info';
export {
  type ClientInfo,
  createMcpAuthProvider,
  type McpAuthProviderOptions,
  type McpAuthProviderResult,
  type ProxyOAuthServerProviderConfig,
} from './auth-provider';
