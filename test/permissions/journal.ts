import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { RunningStack } from '../../local/start';
import type { Journal } from './report';
import { usesOf } from './uses';

/** Keeps, for the report at the end of the suite, what the roles of a stack were used for. Before the stack is closed. */
export function keepPermissionUses(stack: RunningStack): void {
  const directory = inject('permissionUses');
  // Where the report is not made, as for the screenshots.
  if (directory === undefined) return;
  const journal: Journal = {
    uses: usesOf(stack.roleStatements(), stack.arns),
    denied: stack.calls
      .filter(({ allowed }) => !allowed)
      .map(
        ({ functionName, action, resource }) =>
          `${functionName}: ${action} on ${resource} is allowed by no statement of its role.`,
      ),
  };
  writeFileSync(join(directory, `${randomUUID()}.json`), JSON.stringify(journal));
}
