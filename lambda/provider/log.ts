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

/** Name and message, and of an OAuth or HTTP error what the other side said. */
function describeError(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: typeof error, message: withoutAddresses(String(error)) };
  const { name, message, cause } = error;
  const { error: code, error_description: description, status } = error as Partial<Record<string, unknown>> & Error;
  return {
    error: name,
    message: withoutAddresses(message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof description === 'string' ? { description: withoutAddresses(description) } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(cause instanceof Error ? { cause: withoutAddresses(`${cause.name}: ${cause.message}`) } : {}),
  };
}

/** Identity providers name the person's account where they explain a refusal (Microsoft Entra ID: AADSTS50020). */
function withoutAddresses(text: string): string {
  return text.replace(/[^\s'"<>()@]+@[^\s'"<>()@]+/g, '{address}');
}
