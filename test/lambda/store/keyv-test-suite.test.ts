import { DeleteItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import keyvTestSuite from '@keyv/test-suite';
import { Keyv } from 'keyv';
import * as vitest from 'vitest';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import { itemKey } from '../../../lambda/store/item-key';
import { TABLE } from '../../../lib/contract';
import { createTable, type TestTable } from './dynamodb';

/**
 * The cases of @keyv/test-suite 2.1.2 that want what only Keyv 5 did, each with the reason. No store can pass them
 * under Keyv 6: here they must fail, with a Map as with DynamoDB, and every other case must pass with both. So the list
 * is never longer or shorter than it has to be.
 */
const NOT_IN_KEYV_6 = new Map([
  [
    '.deleteMany([keys]) with nonexistent keys resolves to false',
    'Keyv 6 resolves to one boolean for each key: [false, false, false], which is truthy.',
  ],
  [
    'value can be BigInt using other serializer/deserializer',
    'It sets store().opts.deserialize; serializers of Keyv 6 are given to Keyv, and its stores have no opts.',
  ],
]);

/** It wants a record back within the second that the record lives: here the clock stands until the test moves it. */
const IN_NO_TIME = '.set(key, value, ttl) sets a value that expires';

function suite(store: () => unknown) {
  const met = new Set<string>();
  const it = (name: string, run: vitest.TestFunction) => {
    met.add(name);
    const test = NOT_IN_KEYV_6.has(name) ? vitest.test.fails : vitest.test;
    test(name, (context) => {
      if (name === IN_NO_TIME) vitest.vi.setSystemTime(Date.now());
      return run(context);
    });
  };
  vitest.afterEach(() => {
    vitest.vi.useRealTimers();
  });
  keyvTestSuite({ ...vitest, it } as never, Keyv as never, store);

  vitest.test('the suite has the cases that are named here', () => {
    vitest.expect([...met]).toEqual(vitest.expect.arrayContaining([...NOT_IN_KEYV_6.keys(), IN_NO_TIME]));
  });
}

vitest.describe('Keyv on a Map', () => {
  const map = new Map();
  suite(() => map);
});

vitest.describe('Keyv on DynamoDB', () => {
  let table: TestTable;
  vitest.beforeAll(async () => {
    table = await createTable();
  });
  vitest.afterAll(() => table[Symbol.asyncDispose]());

  suite(() => new ClearableStore(table));
});

/** The suite clears the store between its cases, which takes the Scan that the store itself never makes. */
class ClearableStore extends DynamoStore {
  constructor(private readonly table: TestTable) {
    super(table);
  }

  override async clear(): Promise<void> {
    const { client, tableName: TableName } = this.table;
    const prefix = itemKey('k', this.namespace).pk.slice(0, -'k'.length);
    for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
      for (const item of Items) {
        const { [TABLE.partitionKey]: pk, [TABLE.sortKey]: sk } = item;
        if (!pk?.S?.startsWith(prefix) || !sk) continue;
        await client.send(new DeleteItemCommand({ TableName, Key: { [TABLE.partitionKey]: pk, [TABLE.sortKey]: sk } }));
      }
    }
  }
}
