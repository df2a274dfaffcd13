import { ACCOUNT, PARTITION, REGION, URL_SUFFIX } from '../account';
import { isObject, type Json, type JsonObject } from '../json';
import { StartError } from '../start-error';

/** What the intrinsic functions of a stack's template can refer to. */
export interface Scope {
  readonly stackName: string;
  readonly stackId: string;
  readonly parameters: ReadonlyMap<string, Json>;
  readonly mappings: Readonly<Record<string, Record<string, JsonObject>>>;
  readonly conditions: Readonly<Record<string, Json>>;
  /** The `Ref` and the attributes of a resource that exists already. */
  resource(
    logicalId: string,
  ): { readonly ref: string; readonly attributes: Readonly<Record<string, Json>> } | undefined;
  /** The value that a stack of the same assembly exports. */
  exported(name: string): Json | undefined;
  /** An output of another stack of the same assembly. */
  output(stack: string, name: string): Json | undefined;
}

/** Stands for `AWS::NoValue`: the member that holds it is left out. */
const NO_VALUE = Symbol('AWS::NoValue');
type Resolved = Json | typeof NO_VALUE;

/**
 * The value with every intrinsic function replaced by its result.
 *
 * @throws StartError that names what an intrinsic function refers to in vain, or the function that is not known.
 */
export function resolve(value: Json, scope: Scope): Json {
  const resolved = resolveValue(value, scope);
  return resolved === NO_VALUE ? null : resolved;
}

/** Whether a condition of the template holds. */
export function holds(condition: string, scope: Scope): boolean {
  const expression = scope.conditions[condition];
  if (expression === undefined) throw new StartError(`Stack ${scope.stackName} has no condition ${condition}.`);
  return resolve(expression, scope) === true;
}

/** The name of the intrinsic function that an object is a call of. */
export function intrinsicName(value: JsonObject): string | undefined {
  const [name, ...others] = Object.keys(value);
  if (name === undefined || others.length > 0) return undefined;
  return name === 'Ref' || name === 'Condition' || name.startsWith('Fn::') ? name : undefined;
}

function resolveValue(value: Json, scope: Scope): Resolved {
  if (Array.isArray(value)) return value.map((item) => resolveValue(item, scope)).filter((item) => item !== NO_VALUE);
  if (!isObject(value)) return value;
  const name = intrinsicName(value);
  // `Condition` is a function only where its argument is a name; IAM statements have a member of that name too.
  if (name && (name !== 'Condition' || typeof value.Condition === 'string')) {
    return call(name, value[name] as Json, scope);
  }
  const result: JsonObject = {};
  for (const [member, content] of Object.entries(value)) {
    const resolved = resolveValue(content, scope);
    if (resolved !== NO_VALUE) result[member] = resolved;
  }
  return result;
}

function call(name: string, argument: Json, scope: Scope): Resolved {
  const resolved = () => resolve(argument, scope);
  const list = () => resolved() as Json[];
  switch (name) {
    case 'Ref':
      return ref(String(argument), scope);
    case 'Condition':
      return holds(String(argument), scope);
    case 'Fn::GetAtt': {
      const [logicalId, ...attribute] = typeof argument === 'string' ? argument.split('.') : (argument as string[]);
      return getAtt(String(logicalId), String(resolve(attribute.join('.'), scope)), scope);
    }
    case 'Fn::Join': {
      const [separator, parts] = list() as [string, Json[]];
      return parts.map(asText).join(separator);
    }
    case 'Fn::Sub':
      return substitute(argument, scope);
    case 'Fn::Select': {
      const [index, items] = list() as [Json, Json[]];
      const item = items[Number(index)];
      if (item === undefined) throw new StartError(`Fn::Select finds no item ${index} in ${JSON.stringify(items)}.`);
      return item;
    }
    case 'Fn::Split': {
      const [separator, text] = list() as [string, string];
      return String(text).split(separator);
    }
    case 'Fn::If': {
      const [condition, yes, no] = argument as [string, Json, Json];
      return resolveValue(holds(condition, scope) ? yes : no, scope);
    }
    case 'Fn::Equals': {
      const [left, right] = list();
      return asText(left) === asText(right);
    }
    case 'Fn::Not':
      return list()[0] !== true;
    case 'Fn::And':
      return list().every((item) => item === true);
    case 'Fn::Or':
      return list().some((item) => item === true);
    case 'Fn::FindInMap': {
      const [map, first, second] = list() as [string, string, string];
      const found = scope.mappings[map]?.[first]?.[second];
      if (found === undefined) throw new StartError(`Fn::FindInMap finds nothing at ${map}, ${first}, ${second}.`);
      return found;
    }
    case 'Fn::ImportValue': {
      const exportName = String(resolved());
      const value = scope.exported(exportName);
      if (value === undefined) throw new StartError(`No stack of this assembly exports ${exportName}.`);
      return value;
    }
    case 'Fn::GetStackOutput': {
      const { StackName, OutputName } = resolved() as { StackName: string; OutputName: string };
      const value = scope.output(StackName, OutputName);
      if (value === undefined) throw new StartError(`Stack ${StackName} of this assembly has no output ${OutputName}.`);
      return value;
    }
    case 'Fn::Base64':
      return Buffer.from(asText(resolved())).toString('base64');
    case 'Fn::ToJsonString':
      return JSON.stringify(resolved());
    default:
      throw new StartError(`The intrinsic function ${name} in stack ${scope.stackName} is not known here.`);
  }
}

function ref(name: string, scope: Scope): Resolved {
  switch (name) {
    case 'AWS::AccountId':
      return ACCOUNT;
    case 'AWS::Region':
      return REGION;
    case 'AWS::Partition':
      return PARTITION;
    case 'AWS::URLSuffix':
      return URL_SUFFIX;
    case 'AWS::StackName':
      return scope.stackName;
    case 'AWS::StackId':
      return scope.stackId;
    case 'AWS::NoValue':
      return NO_VALUE;
  }
  const parameter = scope.parameters.get(name);
  if (parameter !== undefined) return parameter;
  const resource = scope.resource(name);
  if (resource) return resource.ref;
  throw new StartError(`Stack ${scope.stackName} refers to ${name}, which is neither a parameter nor a resource.`);
}

function getAtt(logicalId: string, attribute: string, scope: Scope): Json {
  const value = scope.resource(logicalId)?.attributes[attribute];
  if (value === undefined) {
    throw new StartError(`Resource ${logicalId} of stack ${scope.stackName} has no attribute ${attribute} here.`);
  }
  return value;
}

function substitute(argument: Json, scope: Scope): string {
  const [template, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, JsonObject];
  return template.replace(/\$\{(!?)([^}]*)\}/g, (_, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    if (name in variables) return asText(resolve(variables[name] as Json, scope));
    return asText(name.includes('.') ? call('Fn::GetAtt', name, scope) : ref(name, scope));
  });
}

function asText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
