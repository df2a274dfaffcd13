import { OutOfTime, within } from '../lambda/provider/time-limit';
import { inWords } from './asked';
import { isOneOf } from './keyv-adapter';
import type { Evaluate } from './redis-store';

/** In milliseconds: Redis answers in a few, so what takes longer than this is lost. */
const PATIENCE = 2_000;

/** @param late is aborted when nobody waits for the answer any more */
type EvaluateInTime = (late: AbortSignal, ...command: Parameters<Evaluate>) => Promise<unknown>;

/**
 * Runs scripts by an adapter of Keyv for Redis or Valkey; undefined where it is another. Their clients wait for a connection, and on one that
 * has gone silent, without end.
 *
 * @throws OutOfTime
 */
export function evaluateOn(adapter: object): Evaluate | undefined {
  const evaluate = byNodeRedis(adapter) ?? byIoValkey(adapter);
  if (evaluate === undefined) return undefined;
  // Why there is no connection is an event, and no error of who waits for one.
  let problem: unknown;
  (adapter as Emitter).on('error', (error) => {
    problem = error;
  });
  return async (...command) => {
    const late = new AbortController();
    try {
      const answer = await within(PATIENCE, evaluate(late.signal, ...command));
      problem = undefined;
      return answer;
    } catch (error) {
      // Without the client's own error as its cause, which has the whole command with it, and with AUTH the password.
      const said = inWords(error, problem);
      throw error instanceof OutOfTime ? new OutOfTime(said) : new Error(said);
    } finally {
      late.abort();
    }
  };
}

interface Emitter {
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

interface NodeRedisAdapter {
  getClient(): Promise<NodeRedis>;
}

interface NodeRedis {
  eval(script: string, options: { readonly keys: string[]; readonly arguments: string[] }): Promise<unknown>;
  /** Of a client of one server, not of a cluster. */
  withAbortSignal?(signal: AbortSignal): NodeRedis;
}

function byNodeRedis(adapter: object): EvaluateInTime | undefined {
  if (!isOneOf(adapter, ['KeyvRedis']) || !('getClient' in adapter)) return undefined;
  const { getClient } = adapter as NodeRedisAdapter;
  return async (late, script, keys, args) => {
    const client = await getClient.call(adapter);
    // Who asked has been told of an outage, and may have asked again: what has not been sent until then is not sent any more.
    late.throwIfAborted();
    return (client.withAbortSignal?.(late) ?? client).eval(script, { keys, arguments: args });
  };
}

interface IoValkeyAdapter {
  readonly redis: { eval(script: string, count: number, ...keysAndArgs: string[]): Promise<unknown> };
}

function byIoValkey(adapter: object): EvaluateInTime | undefined {
  if (!isOneOf(adapter, ['KeyvValkey']) || !('redis' in adapter)) return undefined;
  const { redis } = adapter as IoValkeyAdapter;
  return (_late, script, keys, args) => redis.eval(script, keys.length, ...keys, ...args);
}
