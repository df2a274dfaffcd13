import { hasWildcard, type Use } from './uses';

/** What one run of one stack has to tell. */
export interface Journal {
  readonly uses: readonly Use[];
  /** Calls that no statement, or a Deny, stood for. */
  readonly denied: readonly string[];
}

export interface Report {
  /** Every role, and below it each permission with the number of calls that used it. */
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

/** Puts together what all runs have to tell. */
export function report(journals: readonly Journal[]): Report {
  const merged = new Map<string, Use>();
  for (const use of journals.flatMap(({ uses }) => uses)) {
    const key = [use.role, use.action, use.resource].join('\n');
    const before = merged.get(key);
    merged.set(key, {
      ...use,
      calls: use.calls + (before?.calls ?? 0),
      wildcardNeeded: use.wildcardNeeded || before?.wildcardNeeded === true,
    });
  }
  const uses = [...merged.values()].sort(
    (one, other) => compare(one.role, other.role) || compare(one.action, other.action),
  );
  return {
    lines: uses.flatMap(({ role, action, resource, calls }, index) => [
      ...(role === uses[index - 1]?.role ? [] : [role]),
      `  ${String(calls).padStart(5)}  ${action} on ${resource}`,
    ]),
    problems: [...uses.flatMap(problemsOf), ...new Set(journals.flatMap(({ denied }) => denied))],
  };
}

function problemsOf({ role, action, resource, calls, wildcardNeeded }: Use): string[] {
  const permission = `${role}: ${action} on ${resource}`;
  if (calls === 0) return [`${permission} is not used by any call. Take it out of the role, or test what needs it.`];
  if (action.includes('*')) return [`${permission} has a wildcard for actions. Name those that are called.`];
  if (hasWildcard(resource) && !wildcardNeeded) {
    return [`${permission} has a wildcard that no call needs. Name the resource.`];
  }
  return [];
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
