import { asked } from './asked';
import { onceDone } from './once-done';
import type { Row, SqlDatabase } from './sql-store';

/** Runs SQL with `$1` for its values, on any connection: each statement stands for itself. */
export type PostgresQuery = (text: string, values?: unknown[]) => Promise<readonly Row[]>;

/** Bytes compare as bytes, so that a partition's records come in the order of their sort keys. */
const columns = `(
  pk TEXT COLLATE "C" NOT NULL,
  sk TEXT COLLATE "C" NOT NULL,
  v INTEGER NOT NULL,
  value TEXT,
  expires BIGINT NOT NULL,
  consumed_at BIGINT,
  count INTEGER,
  PRIMARY KEY (pk, sk)
)`;

/** PostgreSQL. The table is created where it is not there. */
export function postgres(query: PostgresQuery, schema = 'public'): SqlDatabase {
  const quoted = `"${schema.replaceAll('"', '""')}"`;
  const table = `${quoted}.mcp_oidc_auth`;

  async function createTable(): Promise<void> {
    // Asked first, since CREATE needs a right that a role may not have, and need not have.
    const [found] = await query('SELECT to_regclass($1)::text AS name', [table]);
    if (found?.name != null) return;
    // Several processes may start at once: without the lock, IF NOT EXISTS fails for one of them.
    await query(`
      SELECT pg_advisory_xact_lock(hashtext('mcp_oidc_auth'));
      CREATE TABLE IF NOT EXISTS ${table} ${columns};
      CREATE INDEX IF NOT EXISTS mcp_oidc_auth_expires ON ${table} (expires)`);
  }

  const created = onceDone(createTable);
  return {
    table,
    run: (statement) =>
      asked('PostgreSQL', async () => {
        await created();
        return query(statement.text, statement.values);
      }),
  };
}
