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
export { type McpExpress, type McpExpressOptions, type McpRequestHandler, setupMcpExpress } from './setup-express';
