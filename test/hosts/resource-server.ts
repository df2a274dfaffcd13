import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { BearerError, verifyBearer } from '../../lambda/authorizer/bearer';

export interface ResourceServer extends AsyncDisposable {
  readonly mcpUrl: string;
}

/** An MCP server that knows its authorization server by the published keys alone, as one in any language does. Its tool says who calls. */
export async function startResourceServer(issuer: string): Promise<ResourceServer> {
  const listener = createServer(async (req, res) => {
    if (req.url?.startsWith('/.well-known/oauth-protected-resource')) {
      return res
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ resource: mcpUrl, authorization_servers: [issuer] }));
    }
    try {
      const caller = await verifyBearer(req.headers.authorization, { issuer, audience: mcpUrl });
      const mcp = createMcpHandler(() => {
        const server = new McpServer({ name: 'reports', version: '1.0.0' });
        server.registerTool('whoami', {}, () => ({ content: [{ type: 'text', text: JSON.stringify(caller.claims) }] }));
        return server;
      });
      await send(await mcp.fetch(await webRequest(req, mcpUrl)), res);
    } catch (error) {
      if (!(error instanceof BearerError)) throw error;
      if (error.challenge) res.setHeader('www-authenticate', error.challenge);
      res.writeHead(error.status).end();
    }
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const mcpUrl = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/mcp`;
  return {
    mcpUrl,
    async [Symbol.asyncDispose]() {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

async function webRequest(req: IncomingMessage, url: string): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  const { method = 'GET' } = req;
  const headers = Object.entries(req.headers).map(([name, value]): [string, string] => [name, String(value)]);
  return new Request(url, { method, headers, ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}) });
}

async function send(response: Response, res: ServerResponse): Promise<void> {
  res.writeHead(response.status, Object.fromEntries(response.headers));
  for await (const chunk of response.body ?? []) res.write(chunk);
  res.end();
}
