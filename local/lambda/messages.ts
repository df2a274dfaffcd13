/** What a function's worker and the runner say to each other. */

export interface WorkerSetup {
  /** The directory of the unpacked asset. */
  readonly taskRoot: string;
  /** `<file>.<export>`, as in the template. */
  readonly handler: string;
  /** Tests only: how far `Date` runs ahead. */
  readonly clockOffsetSeconds: number;
}

export interface InvokeMessage {
  readonly event: unknown;
  readonly requestId: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memorySize: string;
  /** Real time (milliseconds since the epoch) at which the event is given up. */
  readonly deadline: number;
  readonly logGroupName: string;
}

/** An error as Lambda's runtime reports it. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'initError'; readonly error: FunctionError }
  | { readonly type: 'chunk'; readonly chunk: Uint8Array }
  | { readonly type: 'done' }
  | { readonly type: 'error'; readonly error: FunctionError };
