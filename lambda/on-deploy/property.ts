/** The members of an object that came as JSON; none where it is something else. */
export function membersOf(text: unknown): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text as string));
  } catch {
    return {};
  }
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
