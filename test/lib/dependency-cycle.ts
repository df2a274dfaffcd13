/** A template's resources, as far as they can depend on each other. */
interface Template {
  readonly Resources: Record<string, { readonly DependsOn?: string | string[] }>;
}

/** A cycle among a template's resources, which CloudFormation would refuse, as the logical ids along it. */
export function dependencyCycle(template: Template): string[] | undefined {
  const dependencies = new Map(
    Object.entries(template.Resources).map(([id, resource]) => [
      id,
      [...references(resource), ...[resource.DependsOn ?? []].flat()].filter((other) => other in template.Resources),
    ]),
  );
  const done = new Set<string>();
  const visit = (id: string, trail: string[]): string[] | undefined => {
    if (trail.includes(id)) {
      return [...trail.slice(trail.indexOf(id)), id];
    }
    if (!done.has(id)) {
      for (const next of dependencies.get(id) ?? []) {
        const cycle = visit(next, [...trail, id]);
        if (cycle) {
          return cycle;
        }
      }
      done.add(id);
    }
    return undefined;
  };
  for (const id of dependencies.keys()) {
    const cycle = visit(id, []);
    if (cycle) {
      return cycle;
    }
  }
  return undefined;
}

function references(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.flatMap(references);
  }
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, inner]) => {
    switch (key) {
      case 'Ref':
        return [inner as string];
      case 'Fn::GetAtt':
        return [(typeof inner === 'string' ? inner.split('.') : inner)[0]];
      case 'Fn::Sub':
        return [...JSON.stringify(inner).matchAll(/\$\{([^.}!]+)/g)].map(([, name]) => name as string);
      default:
        return references(inner);
    }
  });
}
