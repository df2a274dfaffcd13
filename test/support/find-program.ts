import { existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program is installed: on the PATH, or in a directory that a pattern names, of several the last. */
export function findProgram(name: string, pattern = ''): string | undefined {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, name));
  const elsewhere = pattern === '' ? [] : globSync(join(pattern, name)).sort().reverse();
  return [...elsewhere, ...onPath].find((path) => existsSync(path));
}
