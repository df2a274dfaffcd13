import * as client2 from '@modelcontextprotocol/client';
import * as auth1 from '@modelcontextprotocol/sdk/client/auth.js';
import * as client1 from '@modelcontextprotocol/sdk/client/index.js';
import * as transport1 from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { McpApp } from './mcp-app';

/** What an application does with either line of the official SDK. */
export interface OfficialSdk {
  readonly name: string;
  connection(app: McpApp, url: URL, fetch: typeof globalThis.fetch): Connection;
  /** Asks for an authorization with these scopes, or redeems its code. */
  auth(app: McpApp, options: AuthOptions): Promise<'AUTHORIZED' | 'REDIRECT'>;
  /** Whether the person is needed. */
  isUnauthorized(error: unknown): boolean;
}

export interface Connection {
  open(): Promise<void>;
  /** Redeems the code that came to the redirect URI after `open` or a call was unauthorized. */
  finishAuth(answer: URLSearchParams): Promise<void>;
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>;
  callTool(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface AuthOptions {
  readonly serverUrl: string;
  readonly scope?: string;
  readonly authorizationCode?: string;
  readonly iss?: string;
}

const INFO = { name: 'example', version: '1.0.0' };

/** `@modelcontextprotocol/client`, which speaks MCP 2026-07-28. */
export const CLIENT_2: OfficialSdk = {
  name: '@modelcontextprotocol/client 2.4',
  connection(authProvider, url, fetch) {
    const transport = new client2.StreamableHTTPClientTransport(url, { authProvider, fetch });
    const client = new client2.Client(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
    return {
      open: () => client.connect(transport),
      finishAuth: (answer) => transport.finishAuth(answer),
      listTools: () => client.listTools(),
      callTool: (name, args) => client.callTool({ name, arguments: args }),
      close: () => client.close(),
    };
  },
  auth: client2.auth,
  isUnauthorized: (error) => error instanceof client2.UnauthorizedError,
};

/** `@modelcontextprotocol/sdk`, which most clients are built on; it speaks MCP 2025-11-25. */
export const SDK_1: OfficialSdk = {
  name: '@modelcontextprotocol/sdk 1.32',
  connection(authProvider, url, fetch) {
    // Once connected it asks by GET for a stream of the server's messages, and waits for no answer; the tests do, so
    // that it is not sent, authorized and recorded in the middle of what comes next.
    let streamAnswered = () => {};
    const stream = new Promise<void>((resolve) => {
      streamAnswered = resolve;
    });
    const transport = new transport1.StreamableHTTPClientTransport(url, {
      authProvider,
      async fetch(address, init) {
        const response = await fetch(address, init);
        if (init?.method === 'GET' && String(address) === url.href) streamAnswered();
        return response;
      },
    });
    const client = new client1.Client(INFO);
    return {
      async open() {
        await client.connect(transport);
        await stream;
      },
      finishAuth: (answer) => transport.finishAuth(answer.get('code') ?? ''),
      listTools: () => client.listTools(),
      callTool: (name, args) => client.callTool({ name, arguments: args }),
      close: () => client.close(),
    };
  },
  auth: auth1.auth,
  isUnauthorized: (error) => error instanceof auth1.UnauthorizedError,
};
