import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import KeyvRedis, { createClient } from '@keyv/redis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Store } from '../../lambda/store/store';
import { storeFor } from '../../stores/store-for';
import { storeFromUrl } from '../../stores/store-from-url';
import { noteNotRun } from '../support/not-run';
import { SOON } from '../support/soon';
import { redisMissing, startRedis, type TestServer } from './redis-server';

const inAnHour = () => Date.now() + 3_600_000;
const USED = Math.floor(Date.now() / 1000);
const EXPIRES = USED * 1000 + 3_600_500;

/** What holds of every store is in store.test.ts; here is what Redis has beyond that. */
const notRun = redisMissing !== undefined;
if (redisMissing !== undefined) noteNotRun(redisMissing);

describe.skipIf(notRun)(redisMissing === undefined ? 'on Redis' : `NOT RUN: ${redisMissing}`, () => {
  let server: TestServer;
  let client: ReturnType<typeof createClient>;
  let store: Store;
  beforeAll(async () => {
    server = await startRedis();
    client = createClient({ url: server.url });
    await client.connect();
    store = storeFor(new KeyvRedis(client as never));
  });
  afterAll(async () => {
    client.destroy();
    await server.process.stop();
  });

  test('a record lies there as the schema says', async () => {
    await store.set('grant#1/refresh#1', { scope: 'read' }, EXPIRES);
    await store.consume('grant#1/refresh#1', { now: USED });
    expect({ ...(await client.hGetAll('mcp-oidc-auth:{grant#1}/refresh#1')) }).toEqual({
      v: '1',
      value: '{"scope":"read"}',
      deadline: String(EXPIRES),
      consumedAt: String(USED),
      claimedBy: expect.any(String),
    });
    expect(await client.zRangeWithScores('mcp-oidc-auth:{grant#1}index', 0, -1)).toEqual([
      { value: '/refresh#1', score: EXPIRES },
    ]);
  });

  test('everything expires by itself, the index of a partition with its last record', async () => {
    const soon = inAnHour();
    await store.set('grant#2/grant', 1, soon + 5000);
    await store.putIfAbsent('grant#2/code#1', 1, soon);
    await store.count('registrations#1', soon);
    const expiries = ['{grant#2}/grant', '{grant#2}/code#1', '{grant#2}index', '{registrations#1}value'];
    const times = await Promise.all(expiries.map((key) => client.pExpireTime(`mcp-oidc-auth:${key}`)));
    expect(times).toEqual([soon + 5000, soon, soon + 5000, soon]);
  });

  test('two keys never meet, whatever braces and slashes they have', async () => {
    const keys = [
      'a}/',
      'a/}value',
      'a',
      'avalue',
      'a}value',
      '{a}/b',
      '{a/b',
      '%7Ba%7D',
      '{a}',
      '}/',
      'aindex',
      'a/index',
    ];
    for (const key of keys) await store.set(key, key, inAnHour());
    expect((await store.read(keys)).map((record) => record?.value)).toEqual(keys);
  });
});

describe.skipIf(notRun)('on Redis, an answer that is lost on the way', () => {
  let server: TestServer;
  let front: Server;
  let lost = 0;
  const open: Socket[] = [];

  /** Passes on what it gets, and hangs up once in place of the first answer to `script`. */
  function losing(script: string): void {
    front.removeAllListeners('connection');
    let armed = true;
    front.on('connection', (near: Socket) => {
      const far = connect(Number(new URL(server.url).port), '127.0.0.1');
      open.push(near, far);
      let hangUp = false;
      near.on('data', (data) => {
        if (armed && data.includes(script)) {
          armed = false;
          hangUp = true;
        }
        far.write(data);
      });
      far.on('data', (data) => {
        if (!hangUp) return near.write(data);
        hangUp = false;
        lost++;
        return near.destroy();
      });
      for (const socket of [near, far]) socket.on('error', () => {});
      near.on('close', () => far.destroy());
    });
  }

  beforeAll(async () => {
    server = await startRedis();
    front = createServer().listen(0, '127.0.0.1');
    await once(front, 'listening');
  });
  afterAll(async () => {
    for (const socket of open) socket.destroy();
    front.close();
    await server.process.stop();
  });

  test('does not make a record look used, or taken, to the client that sends the command again', async () => {
    const { port } = front.address() as AddressInfo;
    losing('local nowMs, now, since');
    // The client of Valkey sends again what it got no answer to.
    const { store, close } = await storeFromUrl(`valkey://127.0.0.1:${port}`);
    await store.set('code#1', 1, inAnHour());
    expect(await store.consume('code#1')).toBe(true);
    expect(lost).toBe(1);
    expect(await store.consume('code#1')).toBe(false);
    await close();

    losing('local now, deadline, value');
    const other = await storeFromUrl(`valkey://127.0.0.1:${port}`);
    expect(await other.store.putIfAbsent('jti#1', 1, inAnHour())).toBe(true);
    expect(lost).toBe(2);
    expect(await other.store.putIfAbsent('jti#1', 1, inAnHour())).toBe(false);
    await other.close();
  });
});

describe.skipIf(notRun)('on a cluster of Redis', () => {
  let server: TestServer;
  let adapter: KeyvRedis<unknown>;
  beforeAll(async () => {
    server = await startRedis({ 'cluster-enabled': 'yes' });
    const client = createClient({ url: server.url });
    await client.connect();
    await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
    await vi.waitFor(
      async () => expect(await client.sendCommand(['CLUSTER', 'INFO'])).toContain('cluster_state:ok'),
      SOON,
    );
    client.destroy();
    adapter = new KeyvRedis({ rootNodes: [{ url: server.url }] });
  });
  afterAll(async () => {
    await adapter.disconnect();
    await server.process.stop();
  });

  test('each operation stays in one hash slot', async () => {
    const store = storeFor(adapter);
    // A cluster refuses commands on keys of several slots, whoever has these.
    const keys = ['grant#1/refresh#1', 'grant#1/grant', 'client#1', 'person#{a}/grant#1', 'person#}{/grant#1'];
    for (const key of keys) expect(await store.putIfAbsent(key, key, inAnHour())).toBe(true);
    expect((await store.read(keys)).map((record) => record?.value)).toEqual(keys);
    expect(await store.consume('grant#1/refresh#1')).toBe(true);
    expect(await store.consume('grant#1/refresh#1')).toBe(false);
    expect((await store.list('grant#1')).map(({ key }) => key)).toEqual(['grant#1/grant', 'grant#1/refresh#1']);
    expect(await store.deleteMany(keys)).toEqual(keys.map(() => true));
    expect(await store.list('grant#1')).toEqual([]);
  });
});
