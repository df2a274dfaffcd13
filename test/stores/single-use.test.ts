import { beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../lambda/store/store';
import { DATABASES, describeOn, OTHERS } from './databases';

const inAnHour = () => Date.now() + 3_600_000;

describeOn([...DATABASES, ...OTHERS], (database) => {
  /** Stores that share nothing but the database, as two instances do. */
  let stores: Store[];
  beforeAll(async () => {
    stores = [await database().connect(), await database().connect()];
  });

  /** How many of 50 calls at once, made through both stores in turn, resolve to true. */
  async function winners(call: (store: Store, i: number) => Promise<boolean>): Promise<number> {
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, i) => call(stores[i % 2]!, i)));
    return outcomes.filter(Boolean).length;
  }

  describe('of fifty callers at once, on two instances', () => {
    test('one consumes a record', async () => {
      await stores[0]!.set('grant#1/code#1', {}, inAnHour());
      expect(await winners((store) => store.consume('grant#1/code#1'))).toBe(1);
    });

    test('one puts a record that is not there, and it is the one that stays', async () => {
      let winner: number | undefined;
      const count = await winners(async (store, i) => {
        const won = await store.putIfAbsent('replay#1', { i }, inAnHour());
        if (won) winner = i;
        return won;
      });
      expect(count).toBe(1);
      expect((await stores[1]!.read(['replay#1']))[0]?.value).toEqual({ i: winner });
    });

    test('one puts a record over an expired one', async () => {
      await stores[0]!.set('replay#2', {}, Date.now() - 1);
      expect(await winners((store) => store.putIfAbsent('replay#2', {}, inAnHour()))).toBe(1);
    });

    test('one consumes a record again that all have seen consumed', async () => {
      await stores[0]!.set('grant#1/refresh#0', {}, inAnHour());
      const now = Math.floor(Date.now() / 1000);
      await stores[0]!.consume('grant#1/refresh#0', { now: now - 100 });
      const again = { now, seen: now - 100 };
      expect(await winners((store) => store.consume('grant#1/refresh#0', again))).toBe(1);
    });

    test('one replaces a record that all have consumed', async () => {
      await stores[0]!.set('grant#1/upstream', {}, inAnHour());
      const now = Math.floor(Date.now() / 1000);
      await stores[0]!.consume('grant#1/upstream', { now });
      let winner: number | undefined;
      const count = await winners(async (store, i) => {
        const won = await store.replace('grant#1/upstream', { i }, inAnHour(), now);
        if (won) winner = i;
        return won;
      });
      expect(count).toBe(1);
      expect((await stores[1]!.read(['grant#1/upstream']))[0]).toMatchObject({ value: { i: winner } });
    });

    test('all consume a record within its grace window, and the first time stays', async () => {
      await stores[0]!.set('grant#1/refresh#1', {}, inAnHour());
      const now = Math.floor(Date.now() / 1000);
      expect(await winners((store, i) => store.consume('grant#1/refresh#1', { now: now + i, grace: 60 }))).toBe(50);
      const [record] = await stores[0]!.read(['grant#1/refresh#1']);
      expect(await winners((store) => store.consume('grant#1/refresh#1', { now: now + 200, grace: 60 }))).toBe(0);
      expect(await stores[1]!.read(['grant#1/refresh#1'])).toEqual([record]);
    });

    test('each gets a count of its own', async () => {
      const calls = Array.from({ length: 50 }, (_, i) => stores[i % 2]!.count('registrations#1#all', inAnHour()));
      expect((await Promise.all(calls)).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    });
  });

  test('what one instance writes, another reads at once', async () => {
    for (let i = 0; i < 20; i++) {
      await stores[i % 2]!.set('client#1', { i }, inAnHour());
      expect((await stores[(i + 1) % 2]!.read(['client#1']))[0]?.value).toEqual({ i });
    }
  });
});
