import type { RoleStatement } from '../../local/role-statements';
import { text } from '../lib/synth';

/** One permission, an action on a resource as a statement of a role names them, and what came of it. */
export interface Use {
  /** Logical id. */
  readonly role: string;
  readonly action: string;
  /** The resource as the template says it, with its references as `<LogicalId.Attribute>`. */
  readonly resource: string;
  readonly calls: number;
  /** Whether a call could not have been allowed by a resource without the wildcard. */
  readonly wildcardNeeded: boolean;
}

/**
 * What became of each permission of the roles.
 *
 * @param arns of the resources that the templates make
 */
export function usesOf(statements: readonly RoleStatement[], arns: readonly string[]): Use[] {
  return statements
    .filter(({ effect }) => effect === 'Allow')
    .flatMap(({ role, actions, resources, calls }) =>
      actions.flatMap((action) =>
        resources.map(({ declared, pattern }) => {
          const used = calls.filter((call) => matches(action.toLowerCase(), call.action.toLowerCase()));
          const on = used.filter(({ resource }) => matches(pattern, resource)).map(({ resource }) => resource);
          return {
            role,
            action,
            resource: text(declared),
            calls: on.length,
            wildcardNeeded: on.some((resource) => isWildcardNeeded(pattern, resource, arns)),
          };
        }),
      ),
    );
}

/**
 * A wildcard stands for what nobody can know at synth:
 * - that there is no resource, where AWS judges an action without one;
 * - within an ARN that the template has from CloudFormation, such as the streams of a log group;
 * - the characters that AWS adds to the name of what is not in the template, as many question marks as they are.
 * What the template makes by itself it can also name.
 */
function isWildcardNeeded(pattern: string, resource: string, arns: readonly string[]): boolean {
  if (resource === '*') return true;
  const own = arns.filter((arn) => matches(arn, resource));
  return own.length > 0 ? own.some((arn) => matches(arn, pattern)) : !pattern.includes('*');
}

export function hasWildcard(text: string): boolean {
  return /[*?]/.test(text);
}

/** As IAM compares: `*` for any characters, `?` for one. */
function matches(pattern: string, value: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, 's').test(value);
}
