import type { Json, JsonObject } from '../json';
import { StartError } from '../start-error';
import type { AssemblyStack } from './assembly';

/**
 * The values of a stack's parameters: what was supplied, else the template's default, as CloudFormation decides it.
 *
 * @throws StartError that names every missing parameter, or the first one whose value its declaration does not allow.
 */
export function resolveParameters(stack: AssemblyStack, supplied: Readonly<Record<string, string>>): Map<string, Json> {
  const values = new Map<string, Json>();
  const missing: string[] = [];
  for (const [name, declaration] of Object.entries(stack.template.Parameters ?? {})) {
    // Its value would come from Parameter Store. The CDK's own (BootstrapVersion) is referred to by rules alone.
    if (String(declaration.Type).startsWith('AWS::SSM::')) continue;
    const value = supplied[name] ?? declaration.Default;
    if (value === undefined) {
      missing.push(name);
      continue;
    }
    const text = String(value);
    check(stack.name, name, declaration, text);
    values.set(name, isList(declaration) ? text.split(',').map((item) => item.trim()) : text);
  }
  if (missing.length > 0) {
    throw new StartError(`Stack ${stack.name} needs a value for its parameters ${missing.join(', ')}.`);
  }
  return values;
}

function isList(declaration: JsonObject): boolean {
  return declaration.Type === 'CommaDelimitedList' || String(declaration.Type).startsWith('List<');
}

function check(stack: string, name: string, declaration: JsonObject, value: string): void {
  const refuse = (rule: string): never => {
    const shown = declaration.NoEcho ? 'The value' : `The value "${value}"`;
    const hint = declaration.ConstraintDescription ? ` ${declaration.ConstraintDescription}` : '';
    throw new StartError(`${shown} of parameter ${name} of stack ${stack} ${rule}.${hint}`);
  };
  if (declaration.Type === 'Number' && !Number.isFinite(Number(value || Number.NaN))) refuse('is not a number');
  const pattern = declaration.AllowedPattern;
  if (typeof pattern === 'string' && !new RegExp(`^(?:${pattern})$`).test(value)) refuse(`does not match ${pattern}`);
  const allowed = declaration.AllowedValues;
  if (Array.isArray(allowed) && !allowed.map(String).includes(value)) refuse(`is none of ${allowed.join(', ')}`);
  if (declaration.MinLength !== undefined && value.length < Number(declaration.MinLength)) {
    refuse(`is shorter than ${declaration.MinLength} characters`);
  }
  if (declaration.MaxLength !== undefined && value.length > Number(declaration.MaxLength)) {
    refuse(`is longer than ${declaration.MaxLength} characters`);
  }
}
