import { asked } from './asked';
import { onceDone } from './once-done';
import type { Row, SqlDatabase } from './sql-store';

/** Runs one statement of SQL with `?` for its values. */
export type SqliteQuery = (text: string, ...values: unknown[]) => Promise<readonly Row[]>;

const table = 'mcp_oidc_auth';

/** SQLite, 3.35 or newer. The table is created where it is not there. */
export function sqlite(query: SqliteQuery): SqlDatabase {
  async function createTable(): Promise<void> {
    await query(`CREATE TABLE IF NOT EXISTS ${table} (
      pk TEXT NOT NULL,
      sk TEXT NOT NULL,
      v INTEGER NOT NULL,
      value TEXT,
      expires INTEGER NOT NULL,
      consumed_at INTEGER,
      count INTEGER,
      PRIMARY KEY (pk, sk)
    )`);
    await query(`CREATE INDEX IF NOT EXISTS ${table}_expires ON ${table} (expires)`);
  }

  const created = onceDone(createTable);
  return {
    table,
    run: (statement) =>
      asked('SQLite', async () => {
        await created();
        return query(statement.sql, ...statement.values);
      }),
  };
}
