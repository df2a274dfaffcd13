import './express-request';

export type { AuthInfo } from './auth-info';
export {
  type ClientInfo,
  createMcpAuthProvider,
  type McpAuthProviderOptions,
  type McpAuthProviderResult,
  type ProxyOAuthServerProviderConfig,
} from './auth-provider';
export type { Person, Person as AuthenticatedUser } from './person';
export { type McpExpress, type McpExpressOptions, type McpRequestHandler, setupMcpExpress } from './setup-express';
