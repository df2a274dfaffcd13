import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { storeFromUrl } from '../../stores/store-from-url';
import { noteNotRun } from '../support/not-run';
import { SOON } from '../support/soon';
import { postgresMissing, startPostgres } from './postgres-server';
import type { TestServer } from './redis-server';

const inAnHour = () => Date.now() + 3_600_000;
const USED = Math.floor(Date.now() / 1000);
const EXPIRES = USED * 1000 + 3_600_500;

/** What holds of every store is in store.test.ts; here is what PostgreSQL has beyond that. */
if (postgresMissing !== undefined) noteNotRun(postgresMissing);

describe.skipIf(postgresMissing !== undefined)(
  postgresMissing === undefined ? 'on PostgreSQL' : `NOT RUN: ${postgresMissing}`,
  () => {
    let server: TestServer;
    let admin: pg.Client;
    beforeAll(async () => {
      server = await startPostgres();
      admin = new pg.Client(server.url);
      await admin.connect();
    });
    /** For a lock that `admin` holds. */
    async function untilOneWaits(): Promise<void> {
      const observer = new pg.Client(server.url);
      await observer.connect();
      const waiting = () => observer.query("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
      await vi.waitFor(async () => expect((await waiting()).rows).toHaveLength(1), SOON);
      await observer.end();
    }
    afterAll(async () => {
      await admin.end();
      await server.process.stop();
    });

    test('the table is there for who starts while another process creates it', async () => {
      const first = await storeFromUrl(server.url);
      await first.store.set('client#1', 1, inAnHour());
      await first.close();
      await admin.query('CREATE TABLE copy (LIKE mcp_oidc_auth INCLUDING ALL)');
      await admin.query('DROP TABLE mcp_oidc_auth');
      await admin.query("BEGIN; SELECT pg_advisory_xact_lock(hashtext('mcp_oidc_auth'))");
      await admin.query('CREATE TABLE mcp_oidc_auth (LIKE copy INCLUDING ALL)');
      const second = await storeFromUrl(server.url);
      const written = second.store.set('client#2', 2, inAnHour());
      await untilOneWaits();
      await admin.query('COMMIT');
      expect(await written).toBe(true);
      await second.close();
    });

    test('a record is a row as the schema says', async () => {
      const { store, close } = await storeFromUrl(server.url);
      await store.set('grant#1/refresh#1', { scope: 'read' }, EXPIRES);
      await store.consume('grant#1/refresh#1', { now: USED });
      const { rows } = await admin.query("SELECT * FROM mcp_oidc_auth WHERE pk = 'grant#1'");
      expect(rows).toEqual([
        {
          pk: 'grant#1',
          sk: '/refresh#1',
          v: 1,
          value: '{"scope":"read"}',
          expires: String(EXPIRES),
          consumed_at: String(USED),
          count: null,
        },
      ]);
      await close();
    });

    test('a role that may not create the table uses the one that is there', async () => {
      await admin.query('CREATE ROLE clerk LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON mcp_oidc_auth TO clerk');
      const { store, close } = await storeFromUrl(server.url.replace('test@', 'clerk@'));
      expect(await store.putIfAbsent('jti#1', 1, inAnHour())).toBe(true);
      await close();
    });

    test('a record that is written anew while expired ones are deleted stays', async () => {
      await admin.query("INSERT INTO mcp_oidc_auth (pk, sk, v, value, expires) VALUES ('jti#2', 'value', 1, '1', 1)");
      await admin.query('BEGIN');
      await admin.query('UPDATE mcp_oidc_auth SET expires = $1', [inAnHour()]);
      const { store, close } = await storeFromUrl(server.url);
      // The first write of a process begins the deletion, which waits for the one that holds the row.
      await store.set('client#new', 1, inAnHour());
      await untilOneWaits();
      await admin.query('COMMIT');
      // Until the deletion is over.
      await close();
      const { rows } = await admin.query("SELECT pk FROM mcp_oidc_auth WHERE pk = 'jti#2'");
      expect(rows).toHaveLength(1);
    });

    test('partitions are read by the primary key, and expired rows found by an index', async () => {
      const { store, close } = await storeFromUrl(server.url);
      await admin.query(`
        INSERT INTO mcp_oidc_auth (pk, sk, v, value, expires)
        SELECT 'person#' || i, '/grant#' || i, 1, '1', ${inAnHour()} FROM generate_series(1, 20000) i;
        ANALYZE mcp_oidc_auth`);
      expect(await store.list('person#77')).toHaveLength(1);
      const plan = async (sql: string) => JSON.stringify((await admin.query(`EXPLAIN ${sql}`)).rows);
      expect(await plan("SELECT * FROM mcp_oidc_auth WHERE pk = 'person#77'")).toContain('mcp_oidc_auth_pkey');
      const pairs = "SELECT * FROM mcp_oidc_auth WHERE (pk, sk) IN (VALUES ('person#1', '/grant#1'), ('a', 'b'))";
      expect(await plan(pairs)).toContain('mcp_oidc_auth_pkey');
      expect(await plan('SELECT * FROM mcp_oidc_auth WHERE expires <= 1')).toContain('mcp_oidc_auth_expires');
      await close();
    });
  },
);
