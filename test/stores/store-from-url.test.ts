import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, test, vi } from 'vitest';
import { storeFromUrl } from '../../stores/store-from-url';
import { createTable } from '../lambda/store/dynamodb';

describe('the URL of a store', () => {
  test('memory: is there, and is empty', async () => {
    const { store, close } = await storeFromUrl('memory:');
    expect(await store.list('grant#1')).toEqual([]);
    await close();
  });

  test('sqlite: is a file that outlives the store', async () => {
    const url = `sqlite:${join(await mkdtemp(join(tmpdir(), 'sqlite-')), 'records.db')}`;
    const first = await storeFromUrl(url);
    await first.store.set('k', { a: 1 });
    await first.close();
    const second = await storeFromUrl(url);
    expect((await second.store.read(['k']))[0]?.value).toEqual({ a: 1 });
    await second.close();
  });

  test('dynamodb: is a table, where the environment says', async () => {
    await using table = await createTable();
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', table.endpoint);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    const { store, close } = await storeFromUrl(`dynamodb:${table.tableName}`);
    expect(await store.putIfAbsent('k', 1)).toBe(true);
    expect(await store.putIfAbsent('k', 2)).toBe(false);
    await close();
    vi.unstubAllEnvs();
  });

  test.each([
    ['mysql://root:secret@localhost/db', 'begins with "mysql:"'],
    ['secret', 'begins with "sec"'],
    ['', 'begins with ""'],
  ])('%s is refused, and what is needed is said, but no password', async (url, words) => {
    const refused = storeFromUrl(url);
    await expect(refused).rejects.toThrow(words);
    await expect(refused).rejects.toThrow('needs to begin with one of memory: redis: rediss: valkey:');
    await expect(refused).rejects.not.toThrow('secret@');
  });

  test.each([
    ['sqlite:', 'sqlite:<path>'],
    ['sqlite://', 'sqlite:<path>'],
    ['dynamodb:', 'dynamodb:<table>'],
    ['sqlite:/nowhere/records.db', 'SQLite cannot open the file /nowhere/records.db: unable to open'],
  ])('%s lacks what it is about', async (url, words) => {
    await expect(storeFromUrl(url)).rejects.toThrow(words);
  });
});

/** As it is for someone who has installed nothing beside this package. */
test.each([
  ['redis://localhost', 'npm install @keyv/redis'],
  ['valkey://localhost', 'npm install @keyv/valkey'],
  ['postgres://localhost', 'npm install pg'],
  ['dynamodb:auth', 'npm install @aws-sdk/client-dynamodb'],
  ['memory:', 'a store'],
  ['sqlite::memory:', 'a store'],
])('%s without the packages of others: %s', async (url, words) => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(await bundle, 'open.mjs'), url]);
  expect(stdout).toContain(words);
});

/** What the old ones did: the adapter took no notice of a time, the AWS SDK took the options of a handler for the handler. */
const OLD = {
  '@keyv/redis': 'export default class KeyvRedis {}',
  '@aws-sdk/client-dynamodb': `
    export * from ${JSON.stringify(pathToFileURL(resolve('node_modules/@aws-sdk/client-dynamodb/dist-cjs/index.js')))};
    export class DynamoDBClient {
      constructor(config) {
        this.config = config;
      }
    }`,
};

test.each([
  ['redis://localhost', 'This store needs @keyv/redis 5 or newer'],
  ['dynamodb:auth', 'This store needs @aws-sdk/client-dynamodb 3.521 or newer'],
])('%s with an older package of others: %s', async (url, words) => {
  const directory = await mkdtemp(join(tmpdir(), 'old-packages-'));
  await cp(await bundle, directory, { recursive: true });
  for (const [name, code] of Object.entries(OLD)) {
    await mkdir(join(directory, 'node_modules', name), { recursive: true });
    await writeFile(join(directory, 'node_modules', name, 'index.mjs'), code);
    await writeFile(join(directory, 'node_modules', name, 'package.json'), JSON.stringify({ exports: './index.mjs' }));
  }
  const { stdout } = await promisify(execFile)(process.execPath, [join(directory, 'open.mjs'), url]);
  expect(stdout).toContain(words);
});

const bundle = mkdtemp(join(tmpdir(), 'no-packages-')).then(async (directory) => {
  await build({
    stdin: {
      contents: `
        import { storeFromUrl } from './stores/store-from-url';
        try {
          const { close } = await storeFromUrl(process.argv[2]);
          await close();
          console.log('a store');
        } catch (error) {
          console.log(error.message);
        }`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@keyv/*', 'pg', '@aws-sdk/*'],
    // Each database's code is a file of its own, loaded when it is wanted.
    splitting: true,
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    entryNames: 'open',
  });
  return directory;
});
