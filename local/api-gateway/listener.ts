import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartError } from '../start-error';
import { type ApiRequest, RequestLimitError, readRequest } from './request';
import { type ApiResponse, jsonResponse, send } from './response';

/** An API that answers requests. */
export interface Api {
  handle(request: ApiRequest): Promise<ApiResponse>;
  /** The answer to a request that is over a limit. */
  refuse(error: RequestLimitError): ApiResponse;
}

/**
 * The local origin of an API. It listens before the API exists, because the API's URL is part of what other resources are
 * created from.
 */
export class Listener {
  /** Answers the requests, once it exists. */
  api: Api | undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param port 0 for any free one */
  static open(port: number): Promise<Listener> {
    // The limits of API Gateway are lower than this and are what a client shall meet.
    const server = createServer({ maxHeaderSize: 1024 * 1024, requestTimeout: 0 });
    const listener = new Listener(server);
    server.on('request', async (incoming, outgoing) => {
      const { api } = listener;
      try {
        if (!api) throw new Error('The API is not deployed yet.');
        if (!isOwnHost(incoming.headers.host)) {
          send(jsonResponse(403, { message: 'Forbidden' }), outgoing);
          return;
        }
        const request = await readRequest(incoming);
        send(await api.handle(request), outgoing);
      } catch (error) {
        if (api && error instanceof RequestLimitError) {
          outgoing.shouldKeepAlive = false;
          send(api.refuse(error), outgoing);
        } else if (outgoing.headersSent) outgoing.destroy();
        else {
          for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name);
          send(jsonResponse(500, { message: 'Internal Server Error' }), outgoing);
        }
      }
    });
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'EADDRINUSE' ? new StartError(`Port ${port} is in use.`) : error),
      );
      server.listen(port, '127.0.0.1', () => resolve(listener));
    });
  }

  get origin(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/**
 * API Gateway serves the names of its APIs only. Here that also keeps off a website whose name was bound to a loopback address
 * after it had been opened (DNS rebinding).
 */
function isOwnHost(host: string | undefined): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host ?? '');
}
