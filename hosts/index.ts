// One bundle for everything that is imported of the hosts, so that whoever uses several parts in one process has one copy of them.
export * from './mcp';
export * from './oidc';
export { serve } from './serve';
