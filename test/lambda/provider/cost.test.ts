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

const text = readFileSync(join(__dirname, '../../../docs/operations.md'), 'utf8');

/** A row of docs/operations.md. */
function documented(row: string): Cost {
  const [, requests, read, written] =
    new RegExp(`^\\| ${row}[^|]*\\| (\\d+) \\| (\\d+) \\| (\\d+) \\|$`, 'm').exec(text) ?? [];
  return { requests: Number(requests), read: Number(read), written: Number(written) };
}

/** What the units of a thousand cost, as docs/operations.md writes it. */
function priceOfThousand({ read, written }: Cost): string {
  const units = (each: number) => (each * 1000).toLocaleString('en');
  const dollars = (each: number, ofMillion: number) => `$${((each * ofMillion) / 1000).toFixed(4)}`;
  return `| ${units(read)}: ${dollars(read, 0.125)}; ${units(written)}: ${dollars(written, 0.625)} |`;
}

describe('docs/operations.md reckons with what it really takes:', () => {
  it('a first sign-in, and a refresh', async () => {
    const signIn = await costOf(async () => {
      await harness.fetch('/.well-known/oauth-authorization-server');
      const client = await harness.register();
      return { client, tokens: await harness.redeem(client, await harness.signIn(client)) };
    });
    const { client, tokens } = signIn.result;
    expect(tokens.status).toBe(200);
    expect(signIn.cost).toEqual(documented('A first sign-in'));
    expect(/^\| First sign-ins.*$/m.exec(text)?.[0]).toContain(priceOfThousand(signIn.cost));

    const refresh = await costOf(() => harness.refresh(client, tokens.body.refresh_token));
    expect(refresh.result.status).toBe(200);
    expect(refresh.cost).toEqual(documented('A refresh'));
    expect(/^\| Refreshes .*$/m.exec(text)?.[0]).toContain(priceOfThousand(refresh.cost));
  });
});
