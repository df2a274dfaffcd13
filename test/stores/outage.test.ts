import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import KeyvRedis from '@keyv/redis';
import KeyvValkey from '@keyv/valkey';
import { Keyv } from 'keyv';
import KeyvRedis6 from 'keyv-redis-6';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Store, StoreUnavailable } from '../../lambda/store/store';
import { storeFor } from '../../stores/store-for';
import { type OpenStore, storeFromUrl } from '../../stores/store-from-url';
import { Harness } from '../lambda/provider/harness';
import { freePort } from '../support/free-port';
import { noteNotRun } from '../support/not-run';
import { SOON } from '../support/soon';
import { postgresMissing, startPostgres } from './postgres-server';
import { redisMissing, startRedis, type TestServer } from './redis-server';
import { startFront } from './silent-front';

const OPERATIONS: readonly [string, (store: Store) => Promise<unknown>][] = [
  ['read', (store) => store.read(['k'])],
  ['list', (store) => store.list('k')],
  ['set', (store) => store.set('k', 1)],
  ['putIfAbsent', (store) => store.putIfAbsent('k', 1)],
  ['consume', (store) => store.consume('k')],
  ['count', (store) => store.count('n', Date.now() + 1000)],
  ['delete', (store) => store.delete('k')],
  ['deleteMany', (store) => store.deleteMany(['k'])],
];

/** How each operation fails. */
function failures(store: Store): Promise<unknown[]> {
  return Promise.all(
    OPERATIONS.map(([, operation]) =>
      operation(store).then(
        () => 'no failure',
        (error) => error,
      ),
    ),
  );
}

async function untilItAnswers(store: Store): Promise<void> {
  for (;;) {
    if (
      await store.read(['k']).then(
        () => true,
        () => false,
      )
    )
      return;
    await setTimeout(20);
  }
}

describe.concurrent.each([
  { scheme: 'redis:', missing: redisMissing, startServer: () => startRedis() },
  { scheme: 'valkey:', missing: redisMissing, startServer: () => startRedis() },
  { scheme: 'postgres:', missing: postgresMissing, startServer: startPostgres },
])('an outage of the database behind $scheme', ({ scheme, missing, startServer }) => {
  if (missing !== undefined) {
    noteNotRun(missing);
    it.skip(`NOT RUN: ${missing}`, () => {});
    return;
  }
  let server: TestServer;
  let open: OpenStore;
  let harness: Harness;
  beforeAll(async () => {
    server = await startServer();
    open = await storeFromUrl(server.url.replace(/^\w+:/, scheme));
    const { store } = open;
    harness = await Harness.start({
      instances: 1,
      database: { connect: async () => store, inNamespace: () => store, async [Symbol.asyncDispose]() {} },
    });
  });
  afterAll(async () => {
    await harness[Symbol.asyncDispose]();
    await open.close();
    await server.process.stop();
  });

  it('is 503 with Retry-After, an error of every operation, and over when it is over', async () => {
    const client = await harness.register();
    const { body } = await harness.redeem(client, await harness.signIn(client));
    await server.process.stop('SIGINT');

    const [answer, failed] = await Promise.all([harness.refresh(client, body.refresh_token), failures(open.store)]);
    expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(answer.headers.get('retry-after')).toBe('5');
    for (const failure of failed) expect(failure).toBeInstanceOf(StoreUnavailable);

    await server.process.start();
    await untilItAnswers(open.store);
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
  });

  it('is over soon where it is only a connection that has gone silent, however much is asked', async () => {
    const other = await startServer();
    await using front = await startFront(other.url);
    const { store, close } = await storeFromUrl(front.url.replace(/^\w+:/, scheme));
    await store.set('k', 1);
    front.silence();
    // What is written to a connection is no sign of life of it.
    const asking = setInterval(() => store.read(['k']).catch(() => {}), 100);
    await untilItAnswers(store);
    clearInterval(asking);
    await close();
    await other.process.stop('SIGINT');
  });

  it('does not keep anybody who closes the store', async () => {
    const other = await startServer();
    await using front = await startFront(other.url);
    const { store, close } = await storeFromUrl(front.url.replace(/^\w+:/, scheme));
    await store.set('k', 1);
    front.silence();
    const reading = Promise.allSettled([store.read(['k']), store.read(['k'])]);
    await vi.waitUntil(() => front.hasLost, SOON);
    await close();
    await reading;
    await other.process.stop('SIGINT');
  });

  it('that is there from the start is an error of every operation', async () => {
    const { store, close } = await storeFromUrl(`${scheme}//127.0.0.1:${await freePort()}`);
    for (const failure of await failures(store)) expect(failure).toBeInstanceOf(StoreUnavailable);
    await close();
  });
});

describe.skipIf(redisMissing !== undefined)('a Keyv', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.process.stop());

  it.each([
    ['@keyv/redis', (url: string) => new KeyvRedis(url)],
    ['@keyv/redis 6', (url: string) => new KeyvRedis6(url)],
    ['@keyv/valkey', (url: string) => new KeyvValkey(url)],
  ])('on %s does not wait without end for a database that has gone silent', async (_, open) => {
    await using front = await startFront(server.url);
    const adapter = open(front.url);
    const store = storeFor(new Keyv({ store: adapter }));
    await store.set('k', 1);
    front.silence();
    for (const failure of await failures(store)) expect(failure).toBeInstanceOf(StoreUnavailable);
    await adapter.disconnect(true);
  });

  const protectedServers: TestServer[] = [];
  afterAll(async () => {
    for (const { process } of protectedServers) await process.stop();
  });
  async function protectedRedis(settings: Readonly<Record<string, string>>): Promise<string> {
    const started = await startRedis(settings);
    protectedServers.push(started);
    return started.url.replace('//', '//:wrong-password@');
  }
  function withoutAuth(): string {
    const path = join(mkdtempSync(join(tmpdir(), 'redis-')), 'redis.conf');
    writeFileSync(path, 'rename-command AUTH LOGIN');
    return path;
  }

  it.each([
    ['refuses connections', async () => 'redis://127.0.0.1:1', 'ECONNREFUSED 127.0.0.1:1'],
    ['is on a host that there is not', async () => 'redis://nowhere.invalid', 'nowhere.invalid'],
    ['has another password', () => protectedRedis({ requirepass: 'right' }), 'WRONGPASS'],
    ['has no passwords', () => protectedRedis({ include: withoutAuth() }), /unknown command .AUTH.$/i],
  ])('says why its database cannot be asked that %s, and no password, and so does a URL', async (_, start, words) => {
    const url = await start();
    const ofKeyv = (adapter: KeyvRedis<unknown> | KeyvValkey): OpenStore => ({
      store: storeFor(adapter),
      close: () => adapter.disconnect(true),
    });
    for (const open of [
      () => ofKeyv(new KeyvRedis(url)),
      () => ofKeyv(new KeyvValkey(url)),
      () => storeFromUrl(url),
      () => storeFromUrl(url.replace(/^redis/, 'valkey')),
    ]) {
      const { store, close } = await open();
      const failed = await store.read(['k']).catch((error) => error);
      expect(failed.message).toMatch(words);
      expect(inspect(failed)).not.toContain('wrong-password');
      await close();
    }
  });

  it('on @keyv/redis does not do later what it could not do in time', async () => {
    const adapters = [new KeyvRedis(server.url), new KeyvRedis(server.url)];
    const [lost, never] = adapters.map((adapter) => storeFor(adapter)) as [Store, Store];
    await lost.set('k', 1);
    await server.process.stop();
    await Promise.all([lost, never].map((store) => expect(store.set('late', 1)).rejects.toThrow(StoreUnavailable)));
    await server.process.start();
    await Promise.all([lost, never].map(untilItAnswers));
    expect(await lost.read(['k', 'late'])).toEqual([expect.anything(), undefined]);
    await Promise.all(adapters.map((adapter) => adapter.disconnect()));
  });
});

it('a client of a cluster, which cannot take a command back, is not given one that nobody waits for any more', async () => {
  const adapter = new KeyvRedis('redis://127.0.0.1:1');
  const client = { eval: vi.fn() };
  let connect = (_: never) => {};
  vi.spyOn(adapter, 'getClient').mockReturnValue(new Promise((resolve) => (connect = resolve)));
  await expect(storeFor(adapter).set('late', 1)).rejects.toThrow(StoreUnavailable);
  connect(client as never);
  await setImmediate();
  expect(client.eval).not.toHaveBeenCalled();
});

it('a database that is closed under SQLite is an error of every operation', async () => {
  const { store, close } = await storeFromUrl('sqlite::memory:');
  await store.set('k', 1);
  await close();
  for (const failure of await failures(store)) expect(failure).toBeInstanceOf(StoreUnavailable);
});
