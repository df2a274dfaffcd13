import type { RecordedCall } from './aws/access-control';
import type { Json, JsonObject } from './json';
import type { Role } from './resources/resource-type';

/** A statement of a role, and the calls that it allowed. */
export interface RoleStatement {
  /** The role's logical id. */
  readonly role: string;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly {
    /** As the template says it, with its intrinsic functions. */
    readonly declared: Json;
    readonly pattern: string;
  }[];
  readonly calls: readonly RecordedCall[];
}

/** Every statement of every role. */
export function roleStatements(roles: Iterable<Role>, calls: readonly RecordedCall[]): RoleStatement[] {
  return [...roles].flatMap((role) =>
    role.policies.flatMap((policy) => {
      const declared = statementsOf(role.declared.get(policy)!);
      return statementsOf(policy as JsonObject).map((statement, index) => {
        const inTemplate = list(declared[index]!.Resource);
        return {
          role: role.logicalId,
          effect: statement.Effect as 'Allow' | 'Deny',
          actions: list(statement.Action).map(String),
          resources: list(statement.Resource).map((pattern, place) => ({
            declared: inTemplate[place]!,
            pattern: String(pattern),
          })),
          calls: calls.filter(({ statements }) =>
            statements.some((allowing) => allowing.policy === policy && allowing.index === index),
          ),
        };
      });
    }),
  );
}

function statementsOf({ Statement }: JsonObject): JsonObject[] {
  return list(Statement) as JsonObject[];
}

function list(value: Json | undefined): Json[] {
  return [value ?? []].flat();
}
