import { McpOidcAuth } from 'mcp-oidc-auth';
import { describe, expect, test } from 'vitest';
import { configOf, newStack, ofType, restApi, SCOPES } from './synth';

describe('an authorization server of another app', () => {
  test('is known by its issuer, and protecting with it registers nothing', () => {
    const stack = newStack();
    const auth = McpOidcAuth.fromIssuer(stack, 'Auth', { issuer: 'https://auth.example.com' });
    expect(auth.discoveryUrl).toBe('https://auth.example.com/.well-known/openid-configuration');
    const { api, integration } = restApi(stack);
    auth.protectRestApi(api, { integration, scopes: SCOPES });

    expect(configOf(stack, 'ApiMcpOidcAuthAuthorizerFunction')).toMatchObject({
      issuer: 'https://auth.example.com',
      jwksUri: 'https://auth.example.com/jwks',
    });
    expect(ofType(stack, 'Custom::McpOidcAuthProtectedResource')).toEqual([]);
    expect(ofType(stack, 'AWS::ApiGateway::GatewayResponse')).toHaveLength(4);
  });

  test.each([
    [
      'https://auth.example.com/',
      "issuer must be without a path and a trailing slash, 'https://auth.example.com', got",
    ],
    ['https://auth.example.com/oauth', 'issuer must be without a path and a trailing slash'],
    ['http://auth.example.com', 'issuer must begin with https:// (http:// only on localhost)'],
    ['auth.example.com', "issuer must be an absolute URL, got 'auth.example.com'."],
  ])('cannot be %s', (issuer, message) => {
    expect(() => McpOidcAuth.fromIssuer(newStack(), 'Auth', { issuer })).toThrow(`McpOidcAuth: ${message}`);
  });

  test('cannot be told here which resource acts upstream for people', () => {
    const stack = newStack();
    const auth = McpOidcAuth.fromIssuer(stack, 'Auth', { issuer: 'https://auth.example.com' });
    const { api, integration } = restApi(stack);
    const identifier = 'https://mcp.example.com/mcp';
    const props = { integration, scopes: SCOPES, identifier, upstreamTokens: true };
    expect(() => auth.protectRestApi(api, props)).toThrow(
      `McpOidcAuth: upstreamTokens of '${identifier}' must be in 'resources' of the McpOidcAuth that issues its tokens`,
    );
  });

  test('may be on this machine', () => {
    expect(McpOidcAuth.fromIssuer(newStack(), 'Auth', { issuer: 'http://localhost:3000' }).jwksUrl).toBe(
      'http://localhost:3000/jwks',
    );
  });
});
