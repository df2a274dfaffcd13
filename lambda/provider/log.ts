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

/**
 * Writes one event as a line of JSON.
 *
 * @param event a stable name that an operator may alarm on
 * @param fields nothing secret and nothing about a person beyond the subject's hash
 */
export function logEvent(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  console.log(printableJson({ event, requestId: requestId(), ...fields }));
}

/** The same for what an operator should look at. */
export function logProblem(event: string, error: unknown, fields: Readonly<Record<string, unknown>> = {}): void {
  console.error(printableJson({ event, requestId: requestId(), ...describeError(error), ...fields }));
}

/** Name and message, and of an OAuth or HTTP error what the other side said. */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error, message: String(error) };
  const { name, message, cause } = error;
  const { error: code, error_description: description, status } = error as Partial<Record<string, unknown>> & Error;
  return {
    error: name,
    message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(cause instanceof Error ? { cause: `${cause.name}: ${cause.message}` } : {}),
  };
}
