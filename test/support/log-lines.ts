import { vi } from 'vitest';

/** A line of a function's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string };

/** Catches what is written to stdout and stderr, which on Lambda is the log. `vi.restoreAllMocks()` lets it through again. */
export function catchLog(): { readonly text: () => string; readonly lines: () => LogLine[] } {
  let text = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
  }
  return {
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  };
}
