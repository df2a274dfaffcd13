import { AsyncLocalStorage } from 'node:async_hooks';
import { printableJson } from './printable-json';

/** The request that is being answered; its id is the reference that a person reads on an error page. */
export const currentRequest = new AsyncLocalStorage<{ readonly id: string }>();

export function requestId(): string {
  return currentRequest.getStore()?.id ?? 'none';
}

/** The path of a request without the uid of an interaction, which is a handle. */
export function loggablePath(path: string): string {
  return path.replace(/^\/(interaction|authorize)\/.*/s, '/$1/{uid}');
}

type Fields = Readonly<Record<string, unknown>>;

/** Takes each event with its fields. `error` is what an operator should look at. */
export type LogWriter = (level: 'info' | 'error', event: string, fields: Fields) => void;

const toConsole: LogWriter = (level, event, fields) => {
  const line = { level: level.toUpperCase(), timestamp: new Date().toISOString(), event, ...fields };
  console[level === 'error' ? 'error' : 'log'](printableJson(line));
};

let write = toConsole;

/** Whoever runs the server may say where its log goes: to the console, a line of JSON for each event, unless it does. */
export function logTo(writer: LogWriter): void {
  write = writer;
}

/**
 * Logs one event.
 *
 * @param event a stable name that an operator may alarm on
 * @param fields nothing secret and nothing about a person beyond the subject's hash
 */
export function logEvent(event: string, fields: Fields = {}): void {
  write('info', event, { requestId: requestId(), ...fields });
}

/** The same for what an operator should look at. */
export function logProblem(event: string, error: unknown, fields: Fields = {}): void {
  write('error', event, { requestId: requestId(), ...describeError(error), ...fields });
}

/** Characters of a text that somebody else wrote: enough for the longest explanations of identity providers. */
const LONGEST = 1_000;

/** Name and message, and of an OAuth or HTTP error what the other side said. */
function describeError(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: typeof error, message: loggable(String(error)) };
  const { name, message, cause } = error;
  const { error: code, error_description: description, status } = error as Partial<Record<string, unknown>> & Error;
  return {
    error: name,
    message: loggable(message),
    ...(typeof code === 'string' ? { code: loggable(code) } : {}),
    ...(typeof description === 'string' ? { description: loggable(description) } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(cause instanceof Error ? { cause: loggable(`${cause.name}: ${cause.message}`) } : {}),
  };
}

/**
 * Without addresses: identity providers name the person's account where they explain a refusal (Microsoft Entra ID: AADSTS50020). They go
 * before the text is cut, so that nothing is left of one at its end.
 */
function loggable(text: string): string {
  // Only the beginning of a word is tried: to begin at each of its letters would take the square of its length.
  const safe = text.replace(/(?<![^\s'"<>()@])[^\s'"<>()@]+@[^\s'"<>()@]+/g, '{address}');
  return safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe;
}
