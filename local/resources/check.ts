import { isObject, type Json } from '../json';
import { StartError } from '../start-error';
import type { AssemblyStack } from '../template/assembly';
import { intrinsicName } from '../template/intrinsics';
import { resourceType } from './registry';
import { WITHOUT_LOCAL_EFFECT } from './without-local-effect';

/**
 * Refuses what cannot be run truthfully: a resource type or a property that is not known here.
 *
 * @throws StartError that names every one of them with its logical id
 */
export function checkResources(stack: AssemblyStack): void {
  const unknown: string[] = [];
  for (const [logicalId, { Type, Properties = {} }] of Object.entries(stack.template.Resources ?? {})) {
    const type = resourceType(Type);
    const where = `${logicalId} in stack ${stack.name}`;
    if (!type) {
      unknown.push(`${Type} (${where})`);
      continue;
    }
    const known = [...type.properties, ...Object.keys(WITHOUT_LOCAL_EFFECT[Type] ?? {})];
    if (known.includes('*')) continue;
    for (const path of unknownProperties(Properties, '', known)) unknown.push(`${Type} ${path} (${where})`);
  }
  if (unknown.length > 0) {
    throw new StartError(
      `The template has what cannot be run on this machine as AWS would run it:\n  ${unknown.join('\n  ')}`,
    );
  }
}

function unknownProperties(value: Json, path: string, known: readonly string[]): string[] {
  if (path !== '' && known.includes(path)) return [];
  if (Array.isArray(value)) return value.flatMap((item) => unknownProperties(item, path, known));
  const hasKnownMembers = path === '' || known.some((name) => name.startsWith(`${path}.`));
  if (!isObject(value) || !hasKnownMembers) return [path];
  const intrinsic = intrinsicName(value);
  if (intrinsic === 'Fn::If') {
    const [, ...branches] = value[intrinsic] as Json[];
    return branches.flatMap((branch) => unknownProperties(branch, path, known));
  }
  // AWS::NoValue leaves the property out.
  if (intrinsic) return value[intrinsic] === 'AWS::NoValue' ? [] : [path];
  return Object.entries(value).flatMap(([name, content]) =>
    unknownProperties(content, path === '' ? name : `${path}.${name}`, known),
  );
}
