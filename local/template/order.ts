import { isObject, type Json } from '../json';
import { StartError } from '../start-error';
import type { AssemblyStack, TemplateResource } from './assembly';

/**
 * The logical ids of a stack's resources, each after everything that it depends on.
 *
 * @throws StartError that names the resources of a cycle.
 */
export function creationOrder(stack: AssemblyStack): string[] {
  const resources = stack.template.Resources ?? {};
  const ordered: string[] = [];
  const path: string[] = [];

  const visit = (logicalId: string): void => {
    if (ordered.includes(logicalId)) return;
    const start = path.indexOf(logicalId);
    if (start >= 0) {
      const cycle = [...path.slice(start), logicalId].join(' -> ');
      throw new StartError(`The resources of stack ${stack.name} depend on each other: ${cycle}`);
    }
    path.push(logicalId);
    for (const dependency of dependencies(resources[logicalId] as TemplateResource)) {
      if (dependency in resources) visit(dependency);
    }
    path.pop();
    ordered.push(logicalId);
  };
  for (const logicalId of Object.keys(resources)) visit(logicalId);
  return ordered;
}

function dependencies(resource: TemplateResource): Set<string> {
  const found = new Set([resource.DependsOn ?? []].flat());
  collect(resource.Properties ?? {}, found);
  return found;
}

function collect(value: Json, found: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collect(item, found);
  if (!isObject(value)) return;
  for (const [member, content] of Object.entries(value)) {
    if (member === 'Ref' && typeof content === 'string') found.add(content);
    else if (member === 'Fn::GetAtt') found.add(String(Array.isArray(content) ? content[0] : content).split('.')[0]!);
    else if (member === 'Fn::Sub') {
      const template = String(Array.isArray(content) ? content[0] : content);
      for (const [, name] of template.matchAll(/\$\{([^!}][^}]*)\}/g)) found.add(name!.split('.')[0]!);
    }
    collect(content, found);
  }
}
