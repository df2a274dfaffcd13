import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AccessControl } from './access-control';
import { AwsError } from './aws-error';
import type { Caller } from './caller';

/** A call of the AWS JSON protocol whose signature is right. */
export interface Call {
  readonly caller: Caller;
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/**
 * An HTTP server on this machine that speaks AWS JSON 1.0 or 1.1
 * (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html).
 */
export async function startJsonEndpoint(options: {
  readonly service: string;
  readonly version: '1.0' | '1.1';
  readonly accessControl: AccessControl;
  handle(call: Call): Promise<Answer>;
}): Promise<{ endpoint: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const { status, headers, body } = await answer(request).catch(failure);
    response
      .writeHead(status, {
        'content-type': `application/x-amz-json-${options.version}`,
        'x-amzn-requestid': randomUUID(),
        ...headers,
      })
      .end(body);
  });

  async function answer(request: IncomingMessage): Promise<Answer> {
    const body = Buffer.concat(await request.toArray());
    const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1];
    if (request.method !== 'POST' || !operation) throw new AwsError('UnknownOperationException', '', 404);
    const { headers, url = '/' } = request;
    const caller = await options.accessControl.authenticate(options.service, { path: url, headers, body });
    return options.handle({ caller, operation, input: parse(body), body });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function parse(body: Buffer): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(body.toString());
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>;
  } catch {
    // not JSON: the same answer as JSON that is not an object
  }
  throw new AwsError('SerializationException', 'The request body is not a JSON object.');
}

function failure(error: unknown): Answer {
  const { name, message, status } =
    error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500);
  return { status, body: JSON.stringify({ __type: name, Message: message }) };
}
