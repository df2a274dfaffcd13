import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock';
import { Instance } from './instance';
import { InvokeError } from './invoke-error';
import type { FunctionError } from './messages';
import { type Invoker, isInvocationAllowed, type Permission } from './permission';

/** Of event and response of a synchronous invocation, in bytes (AWS: 6 MB). */
const PAYLOAD_LIMIT = 6 * 1024 * 1024;
/** Concurrent events of one function; the concurrency that AWS gives a new account. */
const CONCURRENCY = 10;

export interface FunctionOptions {
  readonly name: string;
  readonly arn: string;
  readonly taskRoot: string;
  readonly handler: string;
  /** In seconds. */
  readonly timeout: number;
  readonly memorySize: number;
  readonly reservedConcurrency?: number;
  readonly logGroupName: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Ends an instance after this many events. */
  readonly eventsPerInstance?: number;
  /** What Lambda does in the function's name with each new instance. */
  onInstance?(): Promise<void>;
  onLog(line: string): void;
}

/** What a function answered, or the error that it ended with. */
export type InvocationResult = { readonly payload: Buffer } | { readonly error: FunctionError };

/** A Lambda function: its instances and its resource policy. */
export class LambdaFunction {
  readonly permissions: Permission[] = [];
  readonly #options: FunctionOptions;
  readonly #idle: Instance[] = [];
  readonly #busy = new Set<Instance>();
  #clockOffset = 0;

  constructor(options: FunctionOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /**
   * Runs the function with an event and gives its whole response.
   *
   * @param invoker the service that calls and the resource in whose name it does; none for CloudFormation and tests, which
   *   act with rights of their own
   * @throws InvokeError where Lambda itself refuses: no permission, too many events at once, too large an event
   */
  async invoke(event: unknown, invoker?: Invoker): Promise<InvocationResult> {
    const chunks: Uint8Array[] = [];
    const error = await this.invokeWithResponseStream(event, (chunk) => chunks.push(chunk), invoker);
    if (error) return { error };
    const payload = Buffer.concat(chunks);
    if (payload.length > PAYLOAD_LIMIT) {
      const errorMessage = `Response payload size exceeded maximum allowed payload size (${PAYLOAD_LIMIT} bytes).`;
      return { error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } };
    }
    return { payload };
  }

  /** Like `invoke`, with the response in pieces as the handler writes them. Gives the error that the event ended with. */
  async invokeWithResponseStream(
    event: unknown,
    onChunk: (chunk: Uint8Array) => void,
    invoker?: Invoker,
  ): Promise<FunctionError | undefined> {
    const { name, arn, timeout, memorySize, logGroupName } = this.#options;
    if (invoker && !(await isInvocationAllowed(arn, this.permissions, invoker))) {
      const message = `${invoker.service} is not authorized to invoke ${name} in the name of ${invoker.sourceArn}`;
      this.#options.onLog(`The template has no AWS::Lambda::Permission for this: ${message}`);
      throw new InvokeError('AccessDeniedException', message);
    }
    if (Buffer.byteLength(JSON.stringify(event)) > PAYLOAD_LIMIT) {
      throw new InvokeError('RequestTooLargeException', `The event is larger than ${PAYLOAD_LIMIT} bytes.`);
    }
    const instance = this.#take();
    const begun = instance.events === 0 ? this.#options.onInstance?.() : undefined;
    const error = await instance.run(
      {
        event,
        requestId: randomUUID(),
        functionName: name,
        functionArn: arn,
        memorySize: String(memorySize),
        logGroupName,
      },
      timeout,
      onChunk,
    );
    await begun;
    if (error)
      this.#options.onLog(error.trace?.length ? error.trace.join('\n') : `${error.errorType}: ${error.errorMessage}`);
    this.#giveBack(instance);
    return error;
  }

  /** Ends the instances that wait for an event; those that have one end after it. */
  async retireInstances(): Promise<void> {
    this.#clockOffset = this.#options.clock.offsetSeconds;
    for (const instance of this.#busy) instance.retired = true;
    await Promise.all(this.#idle.splice(0).map((instance) => instance.end()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#idle.splice(0), ...this.#busy].map((instance) => instance.end()));
  }

  #take(): Instance {
    const waiting = this.#idle.findIndex((instance) => !instance.ended);
    let instance = this.#idle.splice(0, waiting + 1).pop();
    if (!instance || instance.ended) {
      if (this.#busy.size >= (this.#options.reservedConcurrency ?? CONCURRENCY)) {
        throw new InvokeError('TooManyRequestsException', 'Rate Exceeded.');
      }
      instance = new Instance({ ...this.#options, clockOffsetSeconds: this.#clockOffset });
    }
    this.#busy.add(instance);
    return instance;
  }

  #giveBack(instance: Instance): void {
    this.#busy.delete(instance);
    if (instance.ended) return;
    const { eventsPerInstance = Number.POSITIVE_INFINITY } = this.#options;
    if (instance.retired || instance.events >= eventsPerInstance) void instance.end();
    else this.#idle.push(instance);
  }
}
