import { McpServer } from '@modelcontextprotocol/server';
import { requireScope } from 'mcp-oidc-auth/bearer';
import { z } from 'zod';
import type { Caller } from './caller';
import type { Notes } from './notes';

/**
 * An MCP server for one caller.
 *
 * The authorizer has refused calls without the scopes of `toolScopes` already, if the client sends the headers of MCP 2026-07-28. Older
 * clients do not, so `requireScope` is what guards the tools. What it throws becomes a tool error that names the missing scope.
 */
export function notesServer(caller: Caller, notes: Notes): McpServer {
  const server = new McpServer(
    { name: 'notes', version: '1.0.0' },
    // The tools never change. So a subscription (MCP 2026-07-28, subscriptions/listen) is over as soon as it is acknowledged; one that may
    // still bring something would keep the function running, and paid for, as long as the client likes.
    { capabilities: { tools: { listChanged: false } } },
  );

  server.registerTool(
    'whoami',
    {
      description: 'Says who is calling: the person, the client and what it may do.',
      annotations: { readOnlyHint: true },
    },
    () => answer(caller),
  );

  server.registerTool(
    'list_notes',
    { description: 'Lists your latest notes. Needs the scope notes:read.', annotations: { readOnlyHint: true } },
    async () => {
      requireScope(caller, 'notes:read');
      return answer(await notes.list());
    },
  );

  server.registerTool(
    'add_note',
    {
      description: 'Adds a note. Needs the scope notes:write.',
      inputSchema: z.object({ text: z.string().min(1).max(10_000).describe('The note.') }),
    },
    async ({ text }) => {
      requireScope(caller, 'notes:write');
      return answer(await notes.add(text));
    },
  );

  return server;
}

function answer(value: unknown) {
  return { content: [{ type: 'text' as const, text: JSON.stringify(value, undefined, 2) }] };
}
