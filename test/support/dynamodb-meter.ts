import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** What something costs at DynamoDB. */
export interface Cost {
  /** How often each operation was called, one after the other or side by side. */
  readonly calls: Readonly<Record<string, number>>;
  /** The longest chain of calls of which each began when the one before had ended. */
  readonly rounds: number;
  /** Capacity units, as DynamoDB bills them. */
  readonly units: { readonly read: number; readonly write: number };
}

interface Call {
  readonly operation: string;
  /** How many calls, one after the other, had ended when this one began; and this one. */
  readonly depth: number;
  readonly units: number;
}

const READS = new Set(['BatchGetItem', 'GetItem', 'Query']);

/** Lets every call of `client` say what it costs. */
export function meter(client: DynamoDBClient): <T>(act: () => Promise<T>) => Promise<{ cost: Cost; result: T }> {
  let calls: Call[] = [];
  let ended = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const depth = ended + 1;
      const operation = (context.commandName ?? '').replace(/Command$/, '');
      const { output } = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } as never });
      const consumed = [(output as { ConsumedCapacity?: unknown }).ConsumedCapacity].flat() as Capacity[];
      const units = consumed.reduce((sum, capacity) => sum + (capacity?.CapacityUnits ?? Number.NaN), 0);
      calls.push({ operation, depth, units });
      ended = Math.max(ended, depth);
      return { output, response: undefined };
    },
    { step: 'initialize' },
  );
  return async (act) => {
    calls = [];
    ended = 0;
    const result = await act();
    const counts: Record<string, number> = {};
    for (const { operation } of calls) counts[operation] = (counts[operation] ?? 0) + 1;
    const unitsOf = (isRead: boolean) =>
      calls.filter(({ operation }) => READS.has(operation) === isRead).reduce((sum, { units }) => sum + units, 0);
    const rounds = Math.max(0, ...calls.map(({ depth }) => depth));
    return { cost: { calls: counts, rounds, units: { read: unitsOf(true), write: unitsOf(false) } }, result };
  };
}

interface Capacity {
  readonly CapacityUnits?: number;
}
