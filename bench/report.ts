import { readFileSync, writeFileSync } from 'node:fs';

/** One row of the table that `npm run bench` prints and writes into docs/performance.md. */
export interface Row {
  readonly what: string;
  readonly stock: string;
  readonly ours: string;
  /** Absent where the row only tells. */
  readonly limit?: string;
  readonly reached?: boolean;
}

export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, stock, ours, limit = '', reached }) => {
    const verdict = reached === undefined ? '' : reached ? 'yes' : 'no';
    return `| ${what} | ${stock} | ${ours} | ${limit} | ${verdict} |`;
  });
  return ['| What | Stock | This server | Target | Reached |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}

/** Puts a text between the marks `<!-- name -->` and `<!-- /name -->` of docs/performance.md. */
export function writeInto(name: string, text: string): void {
  const path = 'docs/performance.md';
  const between = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(\\n<!-- /${name} -->)`);
  const page = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    page.replace(between, (_, begin, end) => `${begin}\n${text}\n${end}`),
  );
}
