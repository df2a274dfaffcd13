import { McpServer } from '@modelcontextprotocol/server';
import type { Bearer } from 'mcp-oidc-auth/bearer';

/** Your MCP server, for one caller. */
export function mcpServer({ sub, client_id, scope }: Bearer): McpServer {
  const server = new McpServer({ name: 'reports', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Says who is calling' }, () => ({
    content: [{ type: 'text', text: JSON.stringify({ sub, client_id, scope }) }],
  }));
  return server;
}
