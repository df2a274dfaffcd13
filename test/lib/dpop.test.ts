import { Duration, Stack } from 'aws-cdk-lib';
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUrlIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { McpOidcAuth } from 'mcp-oidc-auth';
import { describe, expect, test } from 'vitest';
import { gatewayResponses, header } from './rest-template';
import { configOf, newAuth, newStack, ofType, restApi, SCOPES } from './synth';

const AUTHORIZER = 'ApiMcpOidcAuthAuthorizerFunction';

function protectedBy(auth: ReturnType<typeof McpOidcAuth.fromIssuer>, resultsCacheTtl?: Duration) {
  const { api, integration } = restApi(Stack.of(auth));
  auth.protectRestApi(api, { integration, scopes: SCOPES, resultsCacheTtl });
}

describe('tokens that are bound to a key', () => {
  test('are off by default, on both sides', () => {
    const stack = newStack();
    protectedBy(newAuth(stack));
    expect(configOf(stack, 'AuthProvider').dpop).toBe(false);
    expect(configOf(stack, AUTHORIZER).dpop).toBe(false);
    expect(header(gatewayResponses(stack).UNAUTHORIZED, 'WWW-Authenticate')).not.toContain('DPoP');
  });

  test('are issued, asked for, and checked for each request', () => {
    const stack = newStack();
    protectedBy(newAuth(stack, { dpop: true }));
    expect(configOf(stack, 'AuthProvider').dpop).toBe(true);
    expect(configOf(stack, AUTHORIZER).dpop).toBe(true);
    expect(header(gatewayResponses(stack).UNAUTHORIZED, 'WWW-Authenticate')).toContain(
      ', DPoP algs="ES256 EdDSA RS256 PS256"',
    );
    const [[, { Properties }]] = ofType(stack, 'AWS::ApiGateway::Authorizer') as [[string, never]];
    expect(Properties).toMatchObject({ AuthorizerResultTtlInSeconds: 0 });
  });

  test('are checked on an HTTP API too', () => {
    const stack = newStack();
    const integration = new HttpUrlIntegration('Mcp', 'https://mcp.example.com');
    newAuth(stack, { dpop: true }).protectHttpApi(new HttpApi(stack, 'Api'), { integration, scopes: SCOPES });
    const [[, { Properties }]] = ofType(stack, 'AWS::ApiGatewayV2::Authorizer') as [[string, never]];
    expect(Properties).toMatchObject({ AuthorizerResultTtlInSeconds: 0 });
    expect(configOf(stack, 'ApiMcpOidcAuthMetadataFunction').metadata).toMatchObject({
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256', 'PS256'],
    });
  });

  test('are checked for an authorization server of another app that says so', () => {
    const stack = newStack();
    protectedBy(McpOidcAuth.fromIssuer(stack, 'Auth', { issuer: 'https://auth.example.com', dpop: true }));
    expect(configOf(stack, AUTHORIZER).dpop).toBe(true);
  });

  test('cannot be let through by a remembered decision', () => {
    const auth = newAuth(newStack(), { dpop: true });
    expect(() => protectedBy(auth, Duration.minutes(1))).toThrow('resultsCacheTtl must be 0 with dpop, got 1 minute.');
  });
});
