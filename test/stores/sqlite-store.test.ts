import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { KeyvSqlite } from '@keyv/sqlite';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { storeFor } from '../../stores/store-for';
import { storeFromUrl } from '../../stores/store-from-url';

const RECORDS = 100;

const ADAPTER = JSON.stringify(pathToFileURL(resolve('node_modules/@keyv/sqlite/dist/index.mjs')));

/** How a process opens a file. */
const BY_URL = `
  import { storeFromUrl } from './stores/store-from-url';
  const { store } = await storeFromUrl('sqlite:' + process.argv[2]);`;
const BY_KEYV = `
  import { KeyvSqlite } from ${ADAPTER};
  import { storeFor } from './stores/store-for';
  const store = storeFor(new KeyvSqlite({ uri: 'sqlite://' + process.argv[2] }));`;

/** Once it is told to begin, consumes all that it can, and says how many of the records it was the first for. */
const CONSUMER = `
  import { once } from 'node:events';
  await store.read(['grant#1/code#0']);
  console.log('open');
  await once(process.stdin, 'data');
  let first = 0;
  for (let i = 0; i < ${RECORDS}; i++) if (await store.consume('grant#1/code#' + i)) first++;
  console.log(first);
  process.exit();`;

test('a file of SQLite that another process is just setting up is waited for', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'sqlite-')), 'records.db');
  using other = new DatabaseSync(path);
  other.exec('CREATE TABLE mine (x); BEGIN IMMEDIATE');
  const opening = storeFromUrl(`sqlite:${path}`);
  await setImmediate();
  other.exec('COMMIT');
  const { store, close } = await opening;
  await store.set('client#1', 1);
  await close();
});

/** Within one process SQLite does one thing at a time anyhow: see single-use.test.ts. */
test.each([
  ['their URL', BY_URL],
  ['a Keyv on @keyv/sqlite', BY_KEYV],
])(
  'of several processes on one file of SQLite, by %s, one consumes each record, and each waits for the others',
  async (_, opening) => {
    const directory = await mkdtemp(join(tmpdir(), 'sqlite-'));
    const path = join(directory, 'records.db');
    await build({
      stdin: { contents: opening + CONSUMER, resolveDir: process.cwd() },
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['@keyv/*', 'pg', '@aws-sdk/*', 'file:*'],
      splitting: true,
      outdir: directory,
      outExtension: { '.js': '.mjs' },
      entryNames: 'consumer',
    });
    const adapter = new KeyvSqlite({ uri: `sqlite://${path}` });
    const store = storeFor(adapter);
    for (let i = 0; i < RECORDS; i++) await store.set(`grant#1/code#${i}`, i, Date.now() + 3_600_000);
    await adapter.disconnect();
    const consumers = Array.from({ length: 3 }, () => {
      const consumer = spawn(process.execPath, [join(directory, 'consumer.mjs'), path], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      return {
        begin: () => consumer.stdin.write('\n'),
        lines: createInterface(consumer.stdout)[Symbol.asyncIterator](),
      };
    });
    for (const { lines } of consumers) expect((await lines.next()).value).toBe('open');
    for (const { begin } of consumers) begin();
    const firsts = await Promise.all(consumers.map(async ({ lines }) => Number((await lines.next()).value)));
    expect(firsts.reduce((a, b) => a + b)).toBe(RECORDS);
  },
);
