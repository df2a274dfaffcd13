import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import type { FunctionError, InvokeMessage, WorkerMessage, WorkerSetup } from './messages';

/** Lambda gives a function this long to load before the time of the first event runs. */
const INIT_MILLISECONDS = 10_000;

export interface InstanceOptions extends WorkerSetup {
  /** The whole environment of the function; nothing of the runner's own gets in. */
  readonly environment: Readonly<Record<string, string>>;
  readonly memorySize: number;
  onLog(line: string): void;
}

/** One execution environment of a function: a worker that takes one event at a time. */
export class Instance {
  /** Events that were given to it. */
  events = 0;
  /** Whether it takes no event after the present one. */
  retired = false;
  ended = false;
  readonly #worker: Worker;
  readonly #ready: Promise<FunctionError | undefined>;
  readonly #exit: Promise<FunctionError>;

  constructor(options: InstanceOptions) {
    const { taskRoot, handler, clockOffsetSeconds } = options;
    this.#worker = new Worker(join(__dirname, `bootstrap${extname(__filename)}`), {
      workerData: { taskRoot, handler, clockOffsetSeconds } satisfies WorkerSetup,
      env: { ...options.environment },
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: options.memorySize },
    });
    for (const output of [this.#worker.stdout, this.#worker.stderr]) {
      createInterface({ input: output }).on('line', options.onLog);
    }
    this.#exit = new Promise((resolve) => {
      this.#worker.once('error', (error) => resolve(crash(error)));
      this.#worker.once('exit', (code) => resolve(exit(code)));
    });
    this.#exit.then(() => {
      this.ended = true;
    });
    this.#ready = new Promise((resolve) => {
      this.#worker.once('message', (message: WorkerMessage) =>
        resolve(message.type === 'initError' ? message.error : undefined),
      );
    });
  }

  /**
   * Runs one event. The response arrives through `onChunk`, in one piece from a handler that does not stream.
   *
   * @param timeout seconds that the handler may take
   * @returns the error that the event ended with, if any; the instance is ended where it cannot take another event
   */
  async run(
    message: Omit<InvokeMessage, 'deadline'>,
    timeout: number,
    onChunk: (chunk: Uint8Array) => void,
  ): Promise<FunctionError | undefined> {
    this.events += 1;
    const initLimit = after(INIT_MILLISECONDS + timeout * 1000, () => timedOut(message.requestId, timeout));
    const initError = await Promise.race([this.#ready, this.#exit, initLimit.expired]);
    initLimit.stop();
    if (initError) {
      await this.end();
      return initError;
    }
    const limit = after(timeout * 1000, () => timedOut(message.requestId, timeout));
    let listen: (message: WorkerMessage) => void = () => {};
    const done = new Promise<FunctionError | undefined>((resolve) => {
      listen = (answer) => {
        if (answer.type === 'chunk') onChunk(answer.chunk);
        else resolve(answer.type === 'error' ? answer.error : undefined);
      };
    });
    this.#worker.on('message', listen);
    this.#worker.postMessage({
      ...message,
      deadline: performance.timeOrigin + performance.now() + timeout * 1000,
    } satisfies InvokeMessage);
    const stopped = Promise.race([this.#exit, limit.expired]);
    const outcome = await Promise.race([
      done.then((error) => ({ error, usable: true })),
      stopped.then((error) => ({ error, usable: false })),
    ]);
    limit.stop();
    this.#worker.off('message', listen);
    if (!outcome.usable) await this.end();
    return outcome.error;
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.#worker.terminate();
  }
}

function after(milliseconds: number, error: () => FunctionError): { expired: Promise<FunctionError>; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<FunctionError>((resolve) => {
    timer = setTimeout(() => resolve(error()), milliseconds);
  });
  return { expired, stop: () => clearTimeout(timer) };
}

function timedOut(requestId: string, timeout: number): FunctionError {
  return {
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeout.toFixed(2)} seconds`,
  };
}

function crash(error: unknown): FunctionError {
  const { name = 'Error', message = String(error) } = error as Partial<Error>;
  return { errorType: name, errorMessage: message };
}

function exit(code: number): FunctionError {
  return {
    errorType: 'Runtime.ExitError',
    errorMessage: `Error: Runtime exited ${code === 0 ? 'without providing a reason' : `with error: exit status ${code}`}`,
  };
}
