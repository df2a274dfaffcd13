import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { generate } from 'selfsigned';

/** What the host answers: 200 and JSON, unless it says otherwise. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string goes out as it is. */
  readonly body?: unknown;
}

/** Neither answers nor closes; breaks the connection off; sends a body that never ends. */
export type Trouble = 'silence' | 'reset' | 'endless';

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** The site of an app's makers, on loopback: https with a certificate of its own, made when it starts. */
export interface MetadataHost extends AsyncDisposable {
  /** https://localhost:<port> */
  readonly origin: string;
  /** The certificate that signs the host's, as PEM. */
  readonly ca: string;
  /** The same as a file, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  readonly requests: readonly ReceivedRequest[];
  /** Serves a client's metadata below `path`, with the document's address as its `client_id`, which is returned. */
  publish(path: string, metadata?: Readonly<Record<string, unknown>>, answer?: Answer): string;
  /** Serves anything. */
  serve(path: string, answer: Answer | Trouble): string;
  withdraw(path: string): void;
  /** Everything is answered like this, until `mend`. */
  disturb(trouble: Answer | Trouble): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startMetadataHost(): Promise<MetadataHost> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: 'documents.test' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const directory = mkdtempSync(join(tmpdir(), 'metadata-host-'));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, cert);

  const answers = new Map<string, Answer | Trouble>();
  const requests: ReceivedRequest[] = [];
  let trouble: Answer | Trouble | undefined;
  const server = createServer({ cert, key }, (request, response) => {
    const path = request.url ?? '';
    requests.push({ path, headers: request.headers });
    send(trouble ?? answers.get(path) ?? { status: 404, body: {} }, request, response);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;

  const host: MetadataHost = {
    origin,
    ca: cert,
    caFile,
    requests,
    publish(path, metadata = {}, answer = {}) {
      const document = { client_name: 'Example app', redirect_uris: ['https://client.example.com/callback'] };
      return host.serve(path, { ...answer, body: { client_id: `${origin}${path}`, ...document, ...metadata } });
    },
    serve(path, answer) {
      answers.set(path, answer);
      return `${origin}${path}`;
    },
    withdraw: (path) => void answers.delete(path),
    disturb(with_) {
      trouble = with_;
    },
    mend() {
      trouble = undefined;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: () => host.close(),
  };
  return host;
}

/** Lets this process, or this worker of the test runner, trust the host: NODE_EXTRA_CA_CERTS is read when a process starts. */
export function trust({ ca }: MetadataHost): void {
  setDefaultCACertificates([...getCACertificates('default'), ca]);
}

function send(answer: Answer | Trouble, request: IncomingMessage, response: ServerResponse): void {
  if (answer === 'silence') return;
  if (answer === 'reset') {
    request.socket.destroy();
    return;
  }
  if (answer === 'endless') {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(1024)));
    };
    response.on('drain', more);
    more();
    return;
  }
  const { status = 200, headers = {}, body = '' } = answer;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
