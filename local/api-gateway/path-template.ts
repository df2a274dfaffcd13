/** `static` before `{parameter}` before `{greedy+}`: the order in which API Gateway prefers them. */
type Segment = { readonly kind: 'static' | 'parameter' | 'greedy'; readonly text: string };
const RANK = { static: 0, parameter: 1, greedy: 2 };

export function parseTemplate(path: string): Segment[] {
  return segments(path).map((text) => {
    const [, name, plus] = /^\{([^}+]+)(\+?)\}$/.exec(text) ?? [];
    if (name === undefined) return { kind: 'static', text };
    return { kind: plus ? 'greedy' : 'parameter', text: name };
  });
}

/** The path parameters of a path that fits the template, or `undefined` where it does not fit. */
export function matchTemplate(template: readonly Segment[], path: string): Record<string, string> | undefined {
  const given = segments(path);
  const parameters: Record<string, string> = {};
  for (const [index, segment] of template.entries()) {
    const text = given[index];
    if (text === undefined || (segment.kind !== 'static' && text === '')) return undefined;
    if (segment.kind === 'greedy') {
      parameters[segment.text] = decode(given.slice(index).join('/'));
      return parameters;
    }
    if (segment.kind === 'parameter') parameters[segment.text] = decode(text);
    else if (segment.text !== text && segment.text !== decode(text)) return undefined;
  }
  return given.length === template.length ? parameters : undefined;
}

/** Sorts the more specific template first. */
export function compareTemplates(left: readonly Segment[], right: readonly Segment[]): number {
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = RANK[left[index]!.kind] - RANK[right[index]!.kind];
    if (difference !== 0) return difference;
  }
  return right.length - left.length;
}

function segments(path: string): string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
