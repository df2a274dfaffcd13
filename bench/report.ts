/** One row of the table that `npm run bench` prints and writes into docs/performance.md. */
export interface Row {
  readonly what: string;
  readonly stock: string;
  readonly ours: string;
  readonly limit: string;
  readonly reached: boolean;
}

export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, stock, ours, limit, reached }) => {
    return `| ${what} | ${stock} | ${ours} | ${limit} | ${reached ? 'yes' : 'no'} |`;
  });
  return ['| What | Stock | This server | Target | Reached |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}
