import { text } from 'node:stream/consumers';
import { partition } from '@aws-sdk/core/client';
import { Sha256 } from '@smithy/core/checksum';
import { HttpRequest } from '@smithy/core/protocols';
import { isServerError, isThrottlingError, isTransientError, StandardRetryStrategy } from '@smithy/core/retry';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';

/** A service that speaks AWS's JSON protocol. */
export interface JsonService {
  /** As requests to it are signed, and as its host begins. */
  readonly name: string;
  /** What `X-Amz-Target` begins with. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  /** The variable that names another endpoint than the region's public one. */
  readonly endpointVariable: string;
  /** The errors that callers know by their class. */
  readonly errors: Readonly<Record<string, new (fields: ErrorFields) => Error>>;
}

export interface LambdaClientOptions {
  readonly maxAttempts: number;
  /** Milliseconds. */
  readonly connectionTimeout: number;
  /** Milliseconds until the answer begins, and between two parts of it. */
  readonly requestTimeout: number;
}

interface ErrorFields {
  readonly message: string;
  readonly $metadata: { readonly httpStatusCode: number };
}

interface ErrorAnswer {
  readonly __type?: string;
  readonly message?: string;
  readonly Message?: string;
}

/** The Command that a `send` of the SDK takes, as far as it is looked at here. */
interface Command {
  readonly input: object;
  /** Its third member is the operation's name. */
  readonly schema?: unknown;
}

/** What AWS answered instead of a result; its name is AWS's own for it. */
class ServiceError extends Error {
  readonly $fault: 'client' | 'server';
  readonly $metadata: ErrorFields['$metadata'];

  constructor(
    override readonly name: string,
    { message, $metadata }: ErrorFields,
  ) {
    super(message);
    this.$fault = $metadata.httpStatusCode < 500 ? 'client' : 'server';
    this.$metadata = $metadata;
  }
}

/**
 * Sends the AWS SDK's commands as its clients do, with its own parts for signing, transport and retries, and without what a function in
 * Lambda never uses and still waits for at each cold start: looking for credentials on a laptop, rules for the endpoints of other kinds
 * of access, checks of every field against the service's model. docs/performance.md says what that is worth.
 *
 * Commands and results hold what JSON can: no Uint8Array, no Date, no stream. Region and credentials are those that Lambda puts into the
 * environment, where they stay the same for as long as the process lives.
 */
export class LambdaClient<Client extends { readonly send: unknown }> {
  readonly #endpoint: URL;
  readonly #signer: SignatureV4;
  readonly #transport: NodeHttpHandler;
  readonly #retries: StandardRetryStrategy;

  constructor(
    private readonly service: JsonService,
    { maxAttempts, connectionTimeout, requestTimeout }: LambdaClientOptions,
    environment: NodeJS.ProcessEnv = process.env,
  ) {
    this.#endpoint = endpointOf(service, environment);
    this.#signer = new SignatureV4({
      service: service.name,
      region: environment.AWS_REGION ?? '',
      sha256: Sha256,
      credentials: {
        accessKeyId: environment.AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? '',
        sessionToken: environment.AWS_SESSION_TOKEN,
      },
    });
    this.#transport = new NodeHttpHandler({
      connectionTimeout,
      requestTimeout,
      socketTimeout: requestTimeout,
      throwOnRequestTimeout: true,
    });
    this.#retries = new StandardRetryStrategy({ maxAttempts, baseDelay: FIRST_DELAY });
  }

  /** @throws what the SDK's client throws: an error with the service's name for it, or one of the network's */
  readonly send = ((command: Command) => this.#send(command)) as Client['send'];

  destroy(): void {
    this.#transport.destroy();
  }

  async #send({ input, schema }: Command): Promise<unknown> {
    const operation = (schema as readonly unknown[])[2];
    const body = JSON.stringify(input);
    let token = await this.#retries.acquireInitialRetryToken('');
    for (;;) {
      try {
        const result = await this.#attempt(`${this.service.target}.${operation}`, body);
        this.#retries.recordSuccess(token);
        return result;
      } catch (error) {
        // Waits before it resolves; rejects where there is to be no other attempt.
        token = await this.#retries.refreshRetryTokenForRetry(token, { errorType: typeOf(error) }).catch(() => {
          throw error;
        });
      }
    }
  }

  async #attempt(target: string, body: string): Promise<unknown> {
    const { protocol, hostname, port, host } = this.#endpoint;
    const request = new HttpRequest({
      method: 'POST',
      protocol,
      hostname,
      ...(port === '' ? {} : { port: Number(port) }),
      path: '/',
      headers: {
        host,
        'content-type': `application/x-amz-json-${this.service.version}`,
        'content-length': String(Buffer.byteLength(body)),
        'x-amz-target': target,
        'user-agent': 'mcp-oidc-auth',
      },
      body,
    });
    const { response } = await this.#transport.handle((await this.#signer.sign(request)) as HttpRequest);
    const answer = parsed(await text(response.body));
    if (response.statusCode === 200 && answer) return answer;
    throw this.#errorOf(response.statusCode, answer);
  }

  #errorOf(statusCode: number, answer: ErrorAnswer = {}): Error {
    // com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException
    const name = /[^#]*$/.exec(answer.__type ?? '')?.[0] || 'UnknownError';
    // A result that cannot be read is none: whatever stands in between has failed, and another attempt may not meet it.
    const httpStatusCode = statusCode === 200 ? 502 : statusCode;
    const fields = { message: answer.message ?? answer.Message ?? name, $metadata: { httpStatusCode } };
    const Known = this.service.errors[name];
    return Known ? new Known(fields) : new ServiceError(name, fields);
  }
}

/** The region's public endpoint, unless the environment names another, for example one that is validated by FIPS 140. */
export function endpointOf({ name, endpointVariable }: JsonService, environment: NodeJS.ProcessEnv): URL {
  const region = environment.AWS_REGION ?? '';
  return new URL(environment[endpointVariable] ?? `https://${name}.${region}.${partition(region).dnsSuffix}`);
}

/** Milliseconds: DynamoDB's, after the SDK's. */
const FIRST_DELAY = 25;

function typeOf(error: unknown) {
  const known = error as Parameters<typeof isTransientError>[0];
  if (isThrottlingError(known)) return 'THROTTLING';
  if (isTransientError(known)) return 'TRANSIENT';
  return isServerError(known) ? 'SERVER_ERROR' : 'CLIENT_ERROR';
}

function parsed(answer: string): ErrorAnswer | undefined {
  try {
    return JSON.parse(answer) ?? undefined;
  } catch {
    return undefined;
  }
}
