import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { BatchGetItemInput } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DynamoDbSender, DynamoStore } from '../../../lambda/store/dynamo-store';
import { clientFor, createTable, lambdaClientFor, originOf, type TestTable } from './dynamodb';

interface WireRequest {
  readonly operation: string;
  readonly input: Record<string, unknown>;
}
interface WireAnswer {
  readonly status: number;
  readonly body: object;
}
type Next = () => Promise<WireAnswer>;

describe.each([
  ['of the AWS SDK', clientFor],
  ['for Lambda', lambdaClientFor],
])('on the client %s,', (_, clientFor) => {
  let table: TestTable;
  let front: Server;
  let client: DynamoDbSender;
  let store: DynamoStore;
  /** What went over the wire. */
  let requests: WireRequest[];
  let sockets: Socket[];
  /** What the front answers, by asking the DynamoDB behind it where it wants to. */
  let answer: (request: WireRequest, next: Next) => Promise<WireAnswer>;

  beforeAll(async () => {
    table = await createTable();
    front = createServer(async (req, res) => {
      const body = await buffer(req);
      const request = {
        operation: String(req.headers['x-amz-target']).split('.')[1]!,
        input: JSON.parse(body.toString()),
      };
      requests.push(request);
      const { status, body: answered } = await answer(request, async () => {
        const { authorization, 'x-amz-date': date, 'x-amz-target': target, 'content-type': type } = req.headers;
        const headers = { authorization, 'x-amz-date': date, 'x-amz-target': target, 'content-type': type };
        const behind = await fetch(table.endpoint, {
          method: 'POST',
          headers: headers as Record<string, string>,
          body,
        });
        return { status: behind.status, body: (await behind.json()) as object };
      });
      res.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answered));
    });
    front.on('connection', (socket) => sockets.push(socket));
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
  });
  afterAll(async () => {
    front.close();
    await table[Symbol.asyncDispose]();
  });

  beforeEach(() => {
    requests = [];
    sockets = [];
    answer = (_, next) => next();
    client = clientFor(originOf(front));
    store = new DynamoStore({ client, tableName: table.tableName });
  });
  afterEach(() => client.destroy());

  const operations = () => requests.map(({ operation }) => operation);
  const keysAsked = (request: WireRequest) =>
    (request.input as unknown as BatchGetItemInput).RequestItems![table.tableName]!;

  describe('what goes over the wire', () => {
    test('is one consistent batch for up to 100 distinct keys', async () => {
      const keys = Array.from({ length: 100 }, (_, i) => `batch/${i}`);
      await store.read([...keys, ...keys]);
      expect(operations()).toEqual(['BatchGetItem']);
      expect(keysAsked(requests[0]!).Keys).toHaveLength(100);
      expect(keysAsked(requests[0]!).ConsistentRead).toBe(true);
    });

    test('is one batch more for the 101st key', async () => {
      await store.read(Array.from({ length: 101 }, (_, i) => `batch/${i}`));
      expect(requests.map((request) => keysAsked(request).Keys!.length).sort()).toEqual([1, 100]);
    });

    test('is nothing where no key is asked for', async () => {
      await store.read([]);
      expect(operations()).toEqual([]);
    });

    test('is one conditional write for each thing that may be done once', async () => {
      await store.putIfAbsent('once', 1, Date.now() + 60_000);
      await store.consume('once', { grace: 60, seen: 1 });
      expect(operations()).toEqual(['PutItem', 'UpdateItem']);
      for (const { input } of requests) expect(input.ConditionExpression).toBeTruthy();
    });

    test('is a consistent query for a list', async () => {
      await store.list('partition', { prefix: '/a' });
      expect(operations()).toEqual(['Query']);
      expect(requests[0]!.input.ConsistentRead).toBe(true);
    });

    test('is nothing at all for clear, which fails', async () => {
      await expect(store.clear()).rejects.toThrow('would take a Scan; delete records by their keys');
      expect(operations()).toEqual([]);
    });

    test('ends when the store is disconnected', async () => {
      await store.get('k');
      const closed = once(sockets[0]!, 'close');
      await store.disconnect();
      await closed;
    });
  });

  /** Answers a batch read without the keys for which `left` is true, as DynamoDB does when it is throttled half-way. */
  function leaving(left: (i: number) => boolean): typeof answer {
    return async (request, next) => {
      if (request.operation !== 'BatchGetItem') return next();
      const asked = keysAsked(request);
      const unread = asked.Keys!.filter((_, i) => left(i));
      const { status, body } = await next();
      const responses = (body as { Responses: Record<string, { pk: { S: string } }[]> }).Responses[table.tableName]!;
      const isUnread = (item: { pk: { S: string } }) =>
        unread.some((key) => JSON.stringify(key.pk) === JSON.stringify(item.pk));
      return {
        status,
        body: {
          Responses: { [table.tableName]: responses.filter((item) => !isUnread(item)) },
          UnprocessedKeys: { [table.tableName]: { Keys: unread, ConsistentRead: true } },
        },
      };
    };
  }

  describe('keys that DynamoDB leaves unread', () => {
    const keys = Array.from({ length: 10 }, (_, i) => `unread#${i}`);
    beforeEach(async () => {
      await store.setMany(keys.map((key) => ({ key, value: key })));
      requests = [];
    });

    test('are read again, and nothing else is', async () => {
      const once = leaving((i) => i % 2 === 0);
      answer = (request, next) => (requests.length === 1 ? once(request, next) : next());
      expect(await store.getMany(keys)).toEqual(keys);
      expect(requests.map((request) => keysAsked(request).Keys!.length)).toEqual([10, 5]);
      expect(keysAsked(requests[1]!).ConsistentRead).toBe(true);
    });

    test('are an error, not absent, where DynamoDB never reads them', async () => {
      answer = leaving((i) => i === 0);
      await expect(store.read(keys)).rejects.toThrow('DynamoDB left 1 of 10 keys unread in 8 attempts.');
      expect(operations()).toEqual(Array(8).fill('BatchGetItem'));
    });

    test('for the size of what they hold come with the next batch', async () => {
      // More than one answer of the DynamoDB in memory holds; those of AWS hold 16 MB.
      const large = 'x'.repeat(300_000);
      const many = Array.from({ length: 12 }, (_, i) => `large#${i}`);
      await store.setMany(many.map((key) => ({ key, value: key + large })));
      const values = await store.getMany<string>(many);
      expect(values.map((value) => String(value).slice(0, -large.length))).toEqual(many);
    });
  });

  describe('an answer that is lost on the way', () => {
    /** Does what is asked and hangs up, once. */
    const loseFirst = (operation: string) => {
      let lost = false;
      answer = async (request, next) => {
        const answered = await next();
        if (request.operation !== operation || lost) return answered;
        lost = true;
        sockets.at(-1)?.destroy();
        return answered;
      };
    };

    test('does not make a record look used to who has just used it', async () => {
      await store.set('lost/1', 1, Date.now() + 60_000);
      loseFirst('UpdateItem');
      expect(await store.consume('lost/1')).toBe(true);
      expect(operations().filter((operation) => operation === 'UpdateItem')).toHaveLength(2);
      expect(await store.consume('lost/1')).toBe(false);
    });

    test('does not make a key look taken to who has just taken it', async () => {
      loseFirst('PutItem');
      expect(await store.putIfAbsent('lost/2', 1, Date.now() + 60_000)).toBe(true);
      expect(operations()).toEqual(['PutItem', 'PutItem']);
      expect(await store.putIfAbsent('lost/2', 1, Date.now() + 60_000)).toBe(false);
    });
  });

  describe('a throttled table', () => {
    const throttled = {
      status: 400,
      body: { __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException', message: 'slow down' },
    };

    test.each<[string, (impatient: DynamoStore) => Promise<unknown>]>([
      ['read', (impatient) => impatient.read(['k'])],
      ['list', (impatient) => impatient.list('k')],
      ['putIfAbsent', (impatient) => impatient.putIfAbsent('k', 1, Date.now() + 1000)],
      ['consume', (impatient) => impatient.consume('k')],
    ])('is an error of %s', async (_, operation) => {
      answer = async () => throttled;
      const impatient = new DynamoStore({ client: clientFor(originOf(front), 1), tableName: table.tableName });
      await expect(operation(impatient)).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
      await impatient.disconnect();
    });
  });
});
