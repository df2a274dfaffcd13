import { randomUUID } from 'node:crypto';
import { arn } from './account';
import type { Json } from './json';
import { resourceType } from './resources/registry';
import type { CreatedResource, Deployment } from './resources/resource-type';
import { StartError } from './start-error';
import type { AssemblyStack } from './template/assembly';
import { holds, resolve, type Scope } from './template/intrinsics';
import type { LocalOrigins } from './template/local-origins';
import { creationOrder } from './template/order';
import { resolveParameters } from './template/parameters';

/** A stack whose resources exist. */
export interface CreatedStack {
  readonly name: string;
  readonly resources: ReadonlyMap<string, CreatedResource>;
  readonly outputs: ReadonlyMap<string, Json>;
  /** Outputs under the names that they are exported by. */
  readonly exports: ReadonlyMap<string, Json>;
}

export interface CreateStackOptions {
  readonly parameters: Readonly<Record<string, string>>;
  readonly deployment: Deployment;
  readonly origins: LocalOrigins;
  /** The stacks of the same assembly that exist already. */
  readonly others: readonly CreatedStack[];
  /** Called for resources whose creation takes a function's time. */
  onProgress(line: string): void;
}

/**
 * Creates the resources of a stack, each after everything that it depends on.
 *
 * @throws StartError that names the resource which cannot be created, and why
 */
export async function createStack(stack: AssemblyStack, options: CreateStackOptions): Promise<CreatedStack> {
  const { deployment, origins, others } = options;
  const { Resources = {}, Outputs = {}, Mappings = {}, Conditions = {} } = stack.template;
  const stackId = arn('cloudformation', `stack/${stack.name}/${randomUUID()}`);
  const resources = new Map<string, CreatedResource>();
  const scope: Scope = {
    stackName: stack.name,
    stackId,
    parameters: resolveParameters(stack, options.parameters),
    mappings: Mappings,
    conditions: Conditions,
    resource: (logicalId) => resources.get(logicalId),
    exported: (name) => others.find(({ exports }) => exports.has(name))?.exports.get(name),
    output: (other, name) => others.find((created) => created.name === other)?.outputs.get(name),
  };

  for (const logicalId of creationOrder(stack)) {
    const { Type: type, Properties = {}, Condition } = Resources[logicalId]!;
    if (Condition !== undefined && !holds(Condition, scope)) continue;
    if (type.startsWith('Custom::')) options.onProgress(`Creating ${logicalId} (${type})`);
    try {
      const properties = origins.apply(resolve(Properties, scope)) as Record<string, Json>;
      const declared = { type, logicalId, stack, stackId, properties };
      resources.set(logicalId, await resourceType(type)!.create(declared, deployment));
    } catch (error) {
      throw new StartError(`${logicalId} (${type}) in stack ${stack.name}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  const outputs = new Map<string, Json>();
  const exports = new Map<string, Json>();
  for (const [name, { Value, Export }] of Object.entries(Outputs)) {
    const value = resolve(Value, scope);
    outputs.set(name, value);
    if (Export) exports.set(String(resolve(Export.Name, scope)), value);
  }
  return { name: stack.name, resources, outputs, exports };
}
