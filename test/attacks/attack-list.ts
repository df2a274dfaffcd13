import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(__dirname, '..', '..');

/** A test that docs/security.md cites: its title, or that of a suite, and the file that has it. */
export interface Citation {
  readonly title: string;
  /** From the root of the repository. */
  readonly file: string;
}

export interface Attack {
  readonly name: string;
  readonly citations: readonly Citation[];
}

/** Lines of docs/security.md. */
const lines = () => readFileSync(join(ROOT, 'docs', 'security.md'), 'utf8').split('\n');

export function citationsOf(text: string): Citation[] {
  const links = text.matchAll(/\[([^\]]+)\]\(\.\.\/(test\/[^)]+)\)/g);
  return [...links].map(([, title = '', file = '']) => ({ title, file }));
}

/** The rows of the tables under a heading, or of all of them. */
export function rows(heading?: string): { readonly section: string; readonly cells: readonly string[] }[] {
  let section = '';
  return lines().flatMap((line) => {
    if (line.startsWith('## ')) section = line.slice(3);
    if (!line.startsWith('| ') || (heading !== undefined && section !== heading)) return [];
    const cells = line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''));
    return /^-+$/.test(cells[0] ?? '') ? [] : [{ section, cells }];
  });
}

/** The table of attacks. */
export function attacks(): Attack[] {
  const [, ...listed] = rows('Attacks');
  return listed.map(({ cells: [name = '', tests = ''] }) => ({ name, citations: citationsOf(tests) }));
}
