import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LambdaFunction } from '../../local/lambda/function';

/** What the authorizer hands over. */
export type AuthorizerContext = Readonly<Record<string, string>>;

export interface FrontDoor {
  readonly url: string;
  authorizer: AuthorizerContext;
  close(): Promise<void>;
}

/** As much of a REST API with response streaming as stands between a client and a function that is invoked with its events. */
export async function startFrontDoor(target: LambdaFunction, authorizer: AuthorizerContext): Promise<FrontDoor> {
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const event = {
      httpMethod: request.method,
      multiValueHeaders: request.headersDistinct,
      body: body.length === 0 ? null : body.toString(),
      isBase64Encoded: false,
      requestContext: { domainName: 'api.example.com', path: '/prod/mcp', authorizer: door.authorizer },
    };
    let unread = Buffer.alloc(0);
    const error = await target.invokeWithResponseStream(event, (chunk) => {
      if (response.headersSent) return void response.write(chunk);
      unread = Buffer.concat([unread, chunk]);
      // Status and headers come first, divided from the body by eight zero bytes.
      const end = unread.indexOf(Buffer.alloc(8));
      if (end < 0) return;
      const { statusCode, headers } = JSON.parse(unread.subarray(0, end).toString());
      response.writeHead(statusCode, headers).write(unread.subarray(end + 8));
    });
    if (error || !response.headersSent) response.writeHead(502, { 'content-type': 'application/json' });
    response.end(error ? JSON.stringify(error) : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const door: FrontDoor = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prod/mcp`,
    authorizer,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return door;
}
