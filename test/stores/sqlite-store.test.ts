import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { storeFromUrl } from '../../stores/store-from-url';

const RECORDS = 100;

/** Consumes all that it can, and says how many of the records it was the first for. */
const CONSUMER = `
  import { storeFromUrl } from './stores/store-from-url';
  const { store, close } = await storeFromUrl(process.argv[2]);
  let first = 0;
  for (let i = 0; i < ${RECORDS}; i++) if (await store.consume('grant#1/code#' + i)) first++;
  await close();
  console.log(first);`;

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
test('of several processes on one file of SQLite, one consumes each record', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sqlite-'));
  const url = `sqlite:${join(directory, 'records.db')}`;
  await build({
    stdin: { contents: CONSUMER, resolveDir: process.cwd() },
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@keyv/*', 'pg', '@aws-sdk/*'],
    splitting: true,
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    entryNames: 'consumer',
  });
  const { store, close } = await storeFromUrl(url);
  for (let i = 0; i < RECORDS; i++) await store.set(`grant#1/code#${i}`, i, Date.now() + 3_600_000);
  await close();
  const consumers = Array.from({ length: 3 }, () =>
    promisify(execFile)(process.execPath, [join(directory, 'consumer.mjs'), url]),
  );
  const firsts = (await Promise.all(consumers)).map(({ stdout }) => Number(stdout));
  expect(firsts.reduce((a, b) => a + b)).toBe(RECORDS);
});
