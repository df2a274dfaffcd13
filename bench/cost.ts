import type { Call } from './aws';
import type { Contestant } from './contestant';

export interface Cost {
  readonly calls: number;
  /** The longest chain of calls of which each began when the one before had ended. */
  readonly rounds: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  /** Of oidc-provider's adapter, where they are counted. */
  readonly adapterOperations?: number;
}

export type Costs = Readonly<Record<'signIn' | 'codeToTokens' | 'refresh' | 'revocation', Cost>>;

/** What each operation costs on a warm instance at DynamoDB. */
export async function measureCosts(contestant: Contestant): Promise<Costs> {
  await using instance = await contestant.instance();
  const person = contestant.person(instance);
  await person.register();
  await person.redeem(await person.signIn());
  const { aws } = contestant;
  // Longer than what lies between two calls that are made side by side.
  aws.latency = 25;
  const costOf = async <T>(act: () => Promise<T>): Promise<[Cost, T]> => {
    aws.calls = [];
    const before = instance.last?.operations;
    const result = await act();
    const after = instance.last?.operations;
    const adapterOperations = before === undefined || after === undefined ? {} : { adapterOperations: after - before };
    return [{ ...costOfCalls(aws.calls), ...adapterOperations }, result];
  };
  const [signIn, code] = await costOf(() => person.signIn());
  const [codeToTokens] = await costOf(() => person.redeem(code));
  const [refresh] = await costOf(() => person.refresh());
  const [revocation] = await costOf(() => person.revoke());
  aws.latency = 0;
  return { signIn, codeToTokens, refresh, revocation };
}

const READS = new Set(['BatchGetItem', 'GetItem', 'Query']);

function costOfCalls(calls: readonly Call[]): Cost {
  const inOrder = [...calls].sort((a, b) => a.began - b.began);
  let rounds = 0;
  let end = Number.NEGATIVE_INFINITY;
  // Each round is the calls that began before the first of them had ended.
  for (const { began, ended } of inOrder) {
    if (began < end) {
      end = Math.min(end, ended);
      continue;
    }
    rounds++;
    end = ended;
  }
  const units = (reads: boolean) =>
    calls.filter(({ operation }) => READS.has(operation) === reads).reduce((sum, call) => sum + call.units, 0);
  return { calls: calls.length, rounds, readUnits: units(true), writeUnits: units(false) };
}
