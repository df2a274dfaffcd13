/**
 * What the headers of a request say about the tool that it calls (MCP 2026-07-28, Streamable HTTP, `Mcp-Method` and `Mcp-Name`).
 * Earlier revisions have no such headers: there the server's own `requireScope` decides alone.
 *
 * @param methods every value of the Mcp-Method header
 * @param names every value of the Mcp-Name header
 * @param toolScopes scopes by the name of the tool
 * @returns the scopes that this call needs, or undefined where the headers are ambiguous
 */
export function scopesOfTool(
  methods: readonly string[],
  names: readonly string[],
  toolScopes: Readonly<Record<string, readonly string[]>>,
): readonly string[] | undefined {
  if (Object.keys(toolScopes).length === 0) {
    return [];
  }
  const [method, ...furtherMethods] = methods.map((value) => value.trim());
  if (furtherMethods.length > 0 || method?.includes(',')) {
    return undefined;
  }
  if (method !== 'tools/call') {
    return [];
  }
  const [name, ...furtherNames] = names.map((value) => value.trim());
  if (name === undefined) {
    // The server answers this with its own protocol error.
    return [];
  }
  const tool = decoded(name);
  if (tool === undefined || furtherNames.length > 0 || name.includes(',')) {
    return undefined;
  }
  return Object.hasOwn(toolScopes, tool) ? toolScopes[tool] : [];
}

/** Names that a header cannot carry come as `=?base64?...?=` with their UTF-8; so could every other name. */
const ENCODED = /^=\?base64\?(?<base64>.*)\?=$/;

function decoded(name: string): string | undefined {
  const base64 = ENCODED.exec(name)?.groups?.base64;
  if (base64 === undefined) {
    return name;
  }
  const bytes = Buffer.from(base64, 'base64');
  // Another spelling of the same bytes is refused, as the server has to.
  return bytes.toString('base64') === base64 ? bytes.toString() : undefined;
}
