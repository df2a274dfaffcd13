import type { Stack } from 'aws-cdk-lib';
import type { ProtectedRestApi, ProtectRestApiProps } from 'mcp-oidc-auth';
import { newAuth, ofType, resources, restApi, SCOPES, text } from './synth';

export const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** An MCP server behind an authorization server of the same stack. */
export function protect(
  stack: Stack,
  props: Partial<ProtectRestApiProps> = {},
  api = restApi(stack),
): ProtectedRestApi {
  return newAuth(stack).protectRestApi(api.api, { integration: api.integration, scopes: SCOPES, ...props });
}

/** The methods of an API as `METHOD /path`, with their resources. */
export function methods(stack: Stack) {
  const all = resources(stack);
  const path = (reference: Record<string, unknown>): string => {
    const id = 'Ref' in reference ? (reference.Ref as string) : undefined;
    return id === undefined ? '' : `${path(all[id]?.Properties.ParentId)}/${all[id]?.Properties.PathPart}`;
  };
  return new Map(
    ofType(stack, 'AWS::ApiGateway::Method').map(([, { Properties }]) => [
      `${Properties.HttpMethod} ${path(Properties.ResourceId) || '/'}`,
      Properties,
    ]),
  );
}

/** The gateway responses of the stack by their type. */
// biome-ignore lint/suspicious/noExplicitAny: the shape of a template is what the tests look at
export function gatewayResponses(stack: Stack): Record<string, any> {
  return Object.fromEntries(
    ofType(stack, 'AWS::ApiGateway::GatewayResponse').map(([, { Properties }]) => [
      Properties.ResponseType,
      Properties,
    ]),
  );
}

/** A header of a gateway response, as API Gateway maps it. */
export const header = (response: { ResponseParameters: Record<string, unknown> }, name: string) =>
  text(response.ResponseParameters[`gatewayresponse.header.${name}`]);
