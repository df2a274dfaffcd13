import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Harness } from './harness';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start({ instances: 1 });
});
afterEach(() => harness[Symbol.asyncDispose]());

interface Cost {
  readonly requests: number;
  readonly read: number;
  readonly written: number;
}

/** The requests to the server that `act` sends, and the capacity units that DynamoDB reckons for them. */
async function costOf<T>(act: () => Promise<T>): Promise<{ cost: Cost; result: T }> {
  const cost = { requests: 0, read: 0, written: 0 };
  harness.table.middlewareStack.add(
    (next, { commandName }) =>
      async ({ input }) => {
        const answer = await next({ input: { ...input, ReturnConsumedCapacity: 'TOTAL' } });
        const { ConsumedCapacity: consumed } = answer.output as { ConsumedCapacity?: object };
        const units = [consumed ?? []].flat().map((of) => (of as { CapacityUnits: number }).CapacityUnits);
        const kind = commandName === 'BatchGetItemCommand' || commandName === 'QueryCommand' ? 'read' : 'written';
        cost[kind] += units.reduce((sum, of) => sum + of, 0);
        return answer;
      },
    { step: 'initialize', name: 'cost', override: true },
  );
  const { request } = harness;
  harness.request = (given) => {
    cost.requests++;
    return request.call(harness, given);
  };
  const result = await act();
  harness.request = request;
  return { cost, result };
}

const text = readFileSync(join(__dirname, '../../../docs/performance.md'), 'utf8');

/** A row of docs/performance.md. */
function documented(row: string): Cost {
  const [, requests, read, written] =
    new RegExp(`^\\| ${row}[^|]*\\| (\\d+) \\| (\\d+) \\| (\\d+) \\|$`, 'm').exec(text) ?? [];
  return { requests: Number(requests), read: Number(read), written: Number(written) };
}

/** What is reckoned with beside what is counted. */
interface Assumed {
  readonly times: number;
  readonly digits: number;
  readonly milliseconds: number;
  readonly logged: number;
}

/** The row that docs/performance.md must have for so many of them. */
function row({ requests, read, written }: Cost, { times, digits, milliseconds, logged }: Assumed): string {
  const prices: number[] = [];
  const price = (units: number, ofMillion: number) => {
    prices.push((units * ofMillion) / 1e6);
    return `$${prices.at(-1)!.toFixed(digits)}`;
  };
  const number = (units: number) => units.toLocaleString('en');
  const [calls, reads, writes] = [requests, read, written].map((each) => each * times) as [number, number, number];
  const seconds = (calls * milliseconds) / 1000;
  const cells = [
    `${number(calls)}: ${price(calls, 1)}`,
    `${number(calls)}: ${price(calls, 0.2)}; at ${milliseconds} ms ${number(seconds)} GB-s: ${price(seconds, 13.3334)}`,
    `${number(reads)}: ${price(reads, 0.125)}; ${number(writes)}: ${price(writes, 0.625)}`,
    `at ${logged} KB each: ${price(logged * times, 0.5)}`,
  ];
  const together = prices.reduce((sum, each) => sum + each);
  return `| ${cells.join(' | ')} | **$${Number(together.toPrecision(digits === 2 ? 3 : 2))}** |`;
}

describe('docs/performance.md reckons with what it really takes:', () => {
  it('a first sign-in, another one, and a refresh', async () => {
    const signIn = await costOf(async () => {
      await harness.fetch('/.well-known/oauth-authorization-server');
      const client = await harness.register();
      return { client, tokens: await harness.redeem(client, await harness.signIn(client)) };
    });
    const { client, tokens } = signIn.result;
    expect(tokens.status).toBe(200);
    expect(signIn.cost).toEqual(documented('A first sign-in'));
    const ofSignIns = { times: 1000, digits: 4, milliseconds: 100, logged: 10 };
    expect(text).toContain(`\n| A thousand first sign-ins ${row(signIn.cost, ofSignIns)}`);
    // README.md and docs/operations.md: less than four cents.
    expect(Number(/^\| A thousand first sign-ins .*\*\*\$([\d.]+)\*\*/m.exec(text)?.[1])).toBeLessThan(0.04);

    const another = await costOf(async () => harness.redeem(client, await harness.signIn(client)));
    expect(another.result.status).toBe(200);
    expect(another.cost).toEqual(documented('Another sign-in'));

    const refresh = await costOf(() => harness.refresh(client, tokens.body.refresh_token));
    expect(refresh.result.status).toBe(200);
    expect(refresh.cost).toEqual(documented('A refresh'));
    const ofRefreshes = { times: 1_000_000, digits: 2, milliseconds: 50, logged: 1.3 };
    expect(text).toContain(`\n| A million refreshes ${row(refresh.cost, ofRefreshes)}`);
  });
});
