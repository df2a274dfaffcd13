/**
 * Runs inside the worker of a function's instance and does what Lambda's Node.js runtime does: loads the handler, gives it
 * one event after another, and offers `awslambda` for response streaming.
 *
 * Started by file name, so it has no imports of its own: compiled and uncompiled it must run as it is.
 */
import type { Writable as WritableStream } from 'node:stream';
import type { FunctionError, InvokeMessage, WorkerMessage, WorkerSetup } from './messages';

const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');
const { createRequire } = process.getBuiltinModule('node:module');
const { join } = process.getBuiltinModule('node:path');
const { Writable } = process.getBuiltinModule('node:stream');
const { getCACertificates, setDefaultCACertificates } = process.getBuiltinModule('node:tls');
const { pathToFileURL } = process.getBuiltinModule('node:url');
const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');

type Handler = (...parameters: unknown[]) => unknown;
type StreamingHandler = (event: unknown, stream: WritableStream, context: object) => Promise<unknown>;

const PRELUDE_DELIMITER = new Uint8Array(8);
const STREAMING = Symbol('streaming handler');
const setup = workerData as WorkerSetup;

const send = (message: WorkerMessage): void => parentPort!.postMessage(message);

/** The stream that a streaming handler writes its response to. */
class ResponseStream extends Writable {
  /** Sent before the first `write`. As on Lambda, `end(chunk)` without a `write` before it does not send it. */
  prelude: string | undefined;

  setContentType(): void {}

  // biome-ignore lint/suspicious/noExplicitAny: Writable has overloads, all of which are passed on
  override write(chunk: any, ...rest: any[]): boolean {
    if (this.prelude !== undefined) {
      super.write(this.prelude);
      super.write(PRELUDE_DELIMITER);
      this.prelude = undefined;
    }
    const plain = typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk);
    return super.write(plain, ...rest);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    send({ type: 'chunk', chunk });
    done();
  }
}

Object.assign(globalThis, {
  awslambda: {
    streamifyResponse: (handler: StreamingHandler) => Object.assign(handler, { [STREAMING]: true }),
    HttpResponseStream: {
      from(stream: ResponseStream, metadata: object): ResponseStream {
        stream.setContentType();
        stream.prelude = JSON.stringify(metadata);
        return stream;
      },
    },
  },
});

if (process.env.NODE_EXTRA_CA_CERTS) trust(process.env.NODE_EXTRA_CA_CERTS);
if (setup.clockOffsetSeconds !== 0) moveClock(setup.clockOffsetSeconds * 1000);

loadHandler().then(
  (handler) => {
    parentPort!.on('message', (message: InvokeMessage) => {
      invoke(handler, message).then(
        () => send({ type: 'done' }),
        (error) => send({ type: 'error', error: describe(error) }),
      );
    });
    send({ type: 'ready' });
  },
  (error) => send({ type: 'initError', error: describe(error) }),
);

/** What Node.js does where a process starts with NODE_EXTRA_CA_CERTS: the process of this worker has started with its own. */
function trust(file: string): void {
  const pem = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  setDefaultCACertificates([...getCACertificates('default'), ...certificates]);
}

async function loadHandler(): Promise<Handler> {
  const [, path, name] = /^(.*)\.([^./]+)$/.exec(setup.handler) ?? [];
  const file = ['.js', '.mjs', '.cjs'].map((extension) => join(setup.taskRoot, path + extension)).find(existsSync);
  if (!file) throw named('Runtime.ImportModuleError', `Error: Cannot find module '${path}'`);
  const handler = (await load(file))[name!];
  if (typeof handler !== 'function') {
    throw named('Runtime.HandlerNotFound', `${setup.handler} is undefined or not exported`);
  }
  return handler as Handler;
}

async function load(file: string): Promise<Record<string, unknown>> {
  try {
    return createRequire(file)(file);
  } catch (error) {
    // An ES module that awaits at its top level cannot be required.
    if ((error as { code?: string }).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return import(pathToFileURL(file).href);
  }
}

async function invoke(handler: Handler, message: InvokeMessage): Promise<void> {
  const context = lambdaContext(message);
  if (STREAMING in handler) {
    const stream = new ResponseStream();
    const finished = new Promise((resolve, reject) => stream.once('finish', resolve).once('error', reject));
    await Promise.all([(handler as unknown as StreamingHandler)(message.event, stream, context), finished]);
  } else {
    const result = await handler(message.event, context);
    send({ type: 'chunk', chunk: Buffer.from(JSON.stringify(result) ?? 'null') });
  }
}

function lambdaContext(message: InvokeMessage): object {
  return {
    awsRequestId: message.requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: message.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: message.functionArn,
    logGroupName: message.logGroupName,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: message.memorySize,
    getRemainingTimeInMillis: () => Math.max(0, message.deadline - realNow()),
  };
}

function realNow(): number {
  return performance.timeOrigin + performance.now();
}

function named(name: string, text: string): Error {
  return Object.assign(new Error(text), { name });
}

function describe(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

/** Tests only: `Date` runs ahead of the real time, so that what expires can be seen to expire without waiting. */
function moveClock(offset: number): void {
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, parameters, newTarget) =>
      Reflect.construct(target, parameters.length > 0 ? parameters : [RealDate.now() + offset], newTarget),
    apply: () => new RealDate(RealDate.now() + offset).toString(),
    get: (target, name, receiver) =>
      name === 'now' ? () => RealDate.now() + offset : Reflect.get(target, name, receiver),
  });
}
