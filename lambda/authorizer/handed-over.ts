import type { AccessToken } from './verify-token';

/** Names that API Gateway sets itself in `requestContext.authorizer`. */
const RESERVED = new Set(['principalId', 'integrationLatency', 'claims']);

/**
 * What the MCP server's handler finds about the caller in `event.requestContext.authorizer`. API Gateway carries flat values only, so a
 * claim that is not a string is handed over as its JSON.
 *
 * @param names claims to hand over beside `sub`, `client_id` and `scope`; those that the token does not have are left out, as are names
 * that belong to API Gateway
 */
export function handedOver(
  { sub, client_id, scope, claims }: AccessToken,
  names: readonly string[],
): Record<string, string> {
  const further = names
    .filter((name) => !RESERVED.has(name) && Object.hasOwn(claims, name))
    .map((name): [string, string] => [name, asText(claims[name])]);
  return { ...Object.fromEntries(further), sub, client_id, scope };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
