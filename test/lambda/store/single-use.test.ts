import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import { createTable, lambdaClientFor, type TestTable } from './dynamodb';

let table: TestTable;
let stores: DynamoStore[];

/** Two stores that share nothing but the table, as two instances of a function do; each with a client of another kind. */
beforeAll(async () => {
  table = await createTable();
  stores = [table.client, lambdaClientFor(table.endpoint)].map(
    (client) => new DynamoStore({ client, tableName: table.tableName }),
  );
});
afterAll(async () => {
  await stores[1]?.disconnect();
  await table[Symbol.asyncDispose]();
});

const inAnHour = () => Date.now() + 3_600_000;

/** How many of 50 calls at once, made through both stores in turn, resolve to true. */
async function winners(call: (store: DynamoStore, i: number) => Promise<boolean>): Promise<number> {
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

  test('all consume a record within its grace window, and the first time stays', async () => {
    await stores[0]!.set('grant#1/refresh#1', {}, inAnHour());
    const now = Math.floor(Date.now() / 1000);
    expect(await winners((store, i) => store.consume('grant#1/refresh#1', { now: now + i, grace: 60 }))).toBe(50);
    const [record] = await stores[0]!.read(['grant#1/refresh#1']);
    expect(await winners((store) => store.consume('grant#1/refresh#1', { now: now + 200, grace: 60 }))).toBe(0);
    expect(await stores[1]!.read(['grant#1/refresh#1'])).toEqual([record]);
  });
});

test('what one instance writes, another reads at once', async () => {
  for (let i = 0; i < 20; i++) {
    await stores[i % 2]!.set('client#1', { i }, inAnHour());
    expect((await stores[(i + 1) % 2]!.read(['client#1']))[0]?.value).toEqual({ i });
  }
});
