import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, requireScopes } from '@modelcontextprotocol/server';
import express from 'express';
import { Keyv } from 'keyv';
import { checkedStore, hostedServer } from '../../hosts/hosted-server';
import { setupMcpExpress } from '../../hosts/mcp';
import { authorizationServer } from '../../hosts/mcp/authorization-server';
import type { McpExpress, McpExpressOptions } from '../../hosts/mcp/setup-express';
import { OidcClient, type OidcClientConfig } from '../../hosts/oidc-client';
import type { HostOptions } from '../../hosts/options';
import { Settings } from '../../hosts/settings';
import { startUpstreamIssuer, type UpstreamIssuer } from '../support/upstream-issuer';

export interface ExpressHost extends AsyncDisposable {
  readonly issuer: string;
  /** The URL of the MCP endpoint, and so the resource identifier. */
  readonly mcpUrl: string;
  readonly upstream: UpstreamIssuer;
  readonly express: McpExpress;
}

export interface ExpressHostOptions extends Partial<McpExpressOptions> {
  readonly client?: Partial<OidcClientConfig>;
  /** Instead of an MCP server with tools. */
  readonly mount?: (express: McpExpress) => void;
  /** Where it listens, to come back after a restart; else any port. */
  readonly port?: number;
  readonly upstream?: UpstreamIssuer;
}

/** The authorization server inside an Express app, with an MCP server, on a port of this machine, before an identity provider that a test directs. */
export async function startExpressHost(options: ExpressHostOptions = {}): Promise<ExpressHost> {
  const { client, mount = mountTools, port = 0, upstream = await startUpstreamIssuer(), ...setup } = options;
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const express = setupMcpExpress({
    idpClient: new OidcClient({
      issuer: upstream.issuer,
      clientId: 'mcp',
      clientSecret: 'upstream-secret',
      redirectUri: `${issuer}/oauth/callback`,
      ...client,
    }),
    store: new Keyv(),
    secret: 'a secret of thirty-two characters',
    baseUrl: issuer,
    ...setup,
  });
  mount(express);
  server.on('request', express.app);
  return {
    issuer,
    mcpUrl: `${issuer}${setup.mcpEndpointPath ?? '/mcp'}`,
    upstream,
    express,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (options.upstream === undefined) await upstream[Symbol.asyncDispose]();
    },
  };
}

/** The authorization server alone, as setupMcpExpress mounts it, in an Express app that listens on any port. */
export async function listenExpress(options: HostOptions): Promise<Server> {
  const settings = new Settings();
  const hosted = hostedServer(options, checkedStore(options, settings), settings);
  await hosted.start();
  const server = express().use(authorizationServer(hosted)).listen(0);
  await once(server, 'listening');
  return server;
}

/** Tools that say who calls, and that need a scope. */
export function mountTools({ handleMcpRequest }: McpExpress): void {
  const mcp = createMcpHandler(() => {
    const server = new McpServer({ name: 'example', version: '1.0.0' });
    server.registerTool('whoami', {}, ({ http }) => answer(http?.authInfo));
    server.registerTool('write', { scopeChallenge: requireScopes('notes:read', 'notes:write') }, () => answer('done'));
    return server;
  });
  const respond = toNodeHandler(mcp);
  handleMcpRequest((req, res) => respond(req, res, req.body));
}

function answer(value: unknown) {
  return { content: [{ type: 'text' as const, text: JSON.stringify(value) }] };
}
