import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Json } from '../../local/json';
import type { AssemblyStack, Template } from '../../local/template/assembly';
import { holds, resolve, type Scope } from '../../local/template/intrinsics';
import { creationOrder } from '../../local/template/order';

let loaded: ReturnType<typeof loadAwsServiceSpecSync> | undefined;

/** What is of use here of a resource type's CloudFormation schema. */
interface Schema {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly properties: Readonly<Record<string, { readonly causesReplacement?: 'yes' | 'no' | 'maybe' }>>;
  readonly isStateful?: boolean;
}

/** A resource type as its CloudFormation schema describes it, or undefined for a custom resource. */
export function schemaOf(type: string): Schema | undefined {
  if (type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource') return undefined;
  loaded ??= loadAwsServiceSpecSync();
  const [schema] = loaded.lookup('resource', 'cloudFormationType', 'equals', type);
  if (!schema && type !== 'AWS::CDK::Metadata') throw new Error(`CloudFormation has no resource type ${type}.`);
  return schema;
}

/**
 * Creates the stacks as CloudFormation would, as far as that can be known without an account: each resource after what it depends on, each
 * intrinsic function with what exists by then, each attribute one that the resource type's schema has.
 *
 * @param parameters a value stands in for every parameter without a default
 * @returns the logical ids of each stack in the order of their creation
 * @throws Error that names the first thing that CloudFormation would refuse
 */
export function applyStacks(stacks: readonly { readonly name: string; readonly template: Template }[]): string[][] {
  const done: { name: string; outputs: Map<string, Json>; exports: Map<string, Json> }[] = [];
  return stacks.map(({ name, template }) => {
    const stack: AssemblyStack = { name, template, assets: new Map() };
    const { Resources = {}, Outputs = {}, Mappings = {}, Conditions = {}, Parameters = {} } = template;
    const created = new Map<string, { ref: string; attributes: Record<string, Json> }>();
    const scope: Scope = {
      stackName: name,
      stackId: `<id of ${name}>`,
      parameters: new Map(Object.keys(Parameters).map((id) => [id, `<value of ${id}>`])),
      mappings: Mappings,
      conditions: Conditions,
      resource: (logicalId) => created.get(logicalId),
      exported: (exportName) => done.find(({ exports }) => exports.has(exportName))?.exports.get(exportName),
      output: (other, output) => done.find((earlier) => earlier.name === other)?.outputs.get(output),
    };
    const order = creationOrder(stack);
    for (const logicalId of order) {
      const { Type, Properties = {}, DependsOn = [], Condition } = Resources[logicalId]!;
      for (const dependency of [DependsOn].flat()) {
        if (!(dependency in Resources)) throw new Error(`${logicalId} depends on ${dependency}, which is not there.`);
      }
      if (Condition !== undefined && !holds(Condition, scope)) continue;
      resolve(Properties, scope);
      const attributes = Object.keys(schemaOf(Type)?.attributes ?? {});
      created.set(logicalId, {
        ref: `<${logicalId}>`,
        attributes: Object.fromEntries(attributes.map((name) => [name, standIn(Type, logicalId, name)])),
      });
    }
    const outputs = new Map<string, Json>();
    const exports = new Map<string, Json>();
    for (const [output, { Value, Export }] of Object.entries(Outputs)) {
      outputs.set(output, resolve(Value, scope));
      if (Export) exports.set(String(resolve(Export.Name, scope)), outputs.get(output)!);
    }
    done.push({ name, outputs, exports });
    return order;
  });
}

/** A value of the shape that templates take apart. */
function standIn(type: string, logicalId: string, attribute: string): string {
  if (!attribute.endsWith('Arn')) return `<${logicalId}.${attribute}>`;
  const [, service = ''] = type.toLowerCase().split('::');
  return `arn:aws:${service}:us-east-1:123456789012:${logicalId}`;
}
