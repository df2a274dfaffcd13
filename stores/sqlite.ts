import { asked } from './asked';
import { onceDone } from './once-done';
import type { Row, SqlDatabase } from './sql-store';

/** Runs one statement of SQL with `?` for its values. */
export type SqliteQuery = (text: string, ...values: unknown[]) => Promise<readonly Row[]>;

const table = 'mcp_oidc_auth';

/** Milliseconds for which a statement waits while another process writes. */
const PATIENCE = 2_000;

/** SQLite, 3.35 or newer. The table is created where it is not there. */
export function sqlite(query: SqliteQuery): SqlDatabase {
  /** By itself SQLite does not wait, and which option of a driver makes it wait depends on the driver and its version. */
  async function bePatient(): Promise<void> {
    const [row] = await query('PRAGMA busy_timeout');
    if (Number(row?.timeout) < PATIENCE) await query(`PRAGMA busy_timeout = ${PATIENCE}`);
  }

  async function createTable(): Promise<void> {
    await bePatient();
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
