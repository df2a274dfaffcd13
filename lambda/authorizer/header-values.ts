/** The headers of an event: REST APIs list repeated values, HTTP APIs join them with commas. */
interface Headers {
  readonly headers?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null;
}

/**
 * Every value of a header, however often and in whatever case it was sent: REST APIs keep the client's spelling of header names.
 *
 * @param name the name in lower case
 */
export function headerValues({ headers, multiValueHeaders }: Headers, name: string): string[] {
  return Object.entries(multiValueHeaders ?? headers ?? {})
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, value]) => value ?? []);
}
