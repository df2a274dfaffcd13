import { Duration, type Stack } from 'aws-cdk-lib';
import { MockIntegration, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { ProtectRestApiProps } from 'mcp-oidc-auth';
import { beforeAll, describe, expect, test } from 'vitest';
import { gatewayResponses, header, methods, protect, WELL_KNOWN } from './rest-template';
import { configOf, idOf, newStack, ofType, permissionsOf, restApi, text } from './synth';

const metadata = (stack: Stack, path: string) =>
  JSON.parse(
    text(methods(stack).get(`GET ${path}`)?.Integration.IntegrationResponses[0].ResponseTemplates['application/json']),
  );

describe('an MCP server on a REST API', () => {
  let stack: Stack;
  let base: string;
  beforeAll(() => {
    stack = newStack();
    protect(stack, {
      toolScopes: { list_notes: ['notes:read'], add_note: ['notes:write'] },
      claims: ['email'],
      name: 'Notes for $5, #1',
    });
    base = `https://<${idOf(stack, 'AWS::ApiGateway::RestApi')}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/prod`;
  });

  test('has its methods, the metadata in both places, and preflights; nothing else', () => {
    expect([...methods(stack).keys()].sort()).toEqual(
      [
        ...['GET', 'POST', 'DELETE', 'OPTIONS'].map((method) => `${method} /mcp`),
        ...['GET', 'HEAD', 'OPTIONS'].map((method) => `${method} ${WELL_KNOWN}`),
        ...['GET', 'HEAD', 'OPTIONS'].map((method) => `${method} ${WELL_KNOWN}/mcp`),
      ].sort(),
    );
  });

  test('is behind the authorizer; metadata and preflights are not', () => {
    const authorizer = idOf(stack, 'AWS::ApiGateway::Authorizer');
    for (const [name, method] of methods(stack)) {
      if (/^(GET|POST|DELETE) \/mcp$/.test(name)) {
        expect(method).toMatchObject({ AuthorizationType: 'CUSTOM', AuthorizerId: { Ref: authorizer } });
      } else {
        expect(method).toMatchObject({ AuthorizationType: 'NONE', ApiKeyRequired: false });
        expect(method.Integration.Type).toBe('MOCK');
      }
    }
  });

  test('has an authorizer that needs an Authorization header and, with tool scopes, remembers nothing', () => {
    const [[, { Properties }]] = ofType(stack, 'AWS::ApiGateway::Authorizer') as [[string, never]];
    expect(Properties).toMatchObject({
      Type: 'REQUEST',
      IdentitySource: 'method.request.header.Authorization',
      AuthorizerResultTtlInSeconds: 0,
    });
  });

  test('tells the authorizer whom and what to accept', () => {
    const issuer = `<${idOf(stack, 'AWS::ApiGatewayV2::Api')}.ApiEndpoint>`;
    expect(configOf(stack, 'ApiMcpOidcAuthAuthorizerFunction')).toEqual({
      issuer,
      jwksUri: `${issuer}/jwks`,
      audience: `${base}/mcp`,
      scopes: ['notes:use'],
      toolScopes: { list_notes: ['notes:read'], add_note: ['notes:write'] },
      dpop: false,
      claims: ['email'],
    });
  });

  test('lets the authorizer write its log and nothing else', () => {
    const group = idOf(stack, 'AWS::Logs::LogGroup', 'ApiMcpOidcAuthAuthorizerFunctionLogs');
    expect(permissionsOf(stack, 'ApiMcpOidcAuthAuthorizerFunctionRole')).toEqual([
      `Allow logs:CreateLogStream on <${group}.Arn>`,
      `Allow logs:PutLogEvents on <${group}.Arn>`,
    ]);
  });

  test('challenges with 401, the place of the metadata, and the default scopes', () => {
    const response = gatewayResponses(stack).UNAUTHORIZED;
    expect(response.StatusCode).toBe('401');
    expect(header(response, 'WWW-Authenticate')).toBe(
      `'Bearer resource_metadata="${base}${WELL_KNOWN}/mcp", scope="notes:use"'`,
    );
    expect(JSON.parse(response.ResponseTemplates['application/json'])).toMatchObject({ error: 'invalid_token' });
  });

  test('challenges with 401 for no less than every call needs', () => {
    const stack = newStack();
    protect(stack, { requiredScopes: ['notes:read'] });
    const wwwAuthenticate = header(gatewayResponses(stack).UNAUTHORIZED, 'WWW-Authenticate');
    expect(wwwAuthenticate).toContain('scope="notes:use notes:read"');
  });

  test('challenges with 403 and every scope that a call can need', () => {
    const response = gatewayResponses(stack).ACCESS_DENIED;
    expect(response.StatusCode).toBe('403');
    expect(header(response, 'WWW-Authenticate')).toBe(
      `'Bearer error="insufficient_scope", scope="notes:use notes:read notes:write", resource_metadata="${base}${WELL_KNOWN}/mcp"'`,
    );
    expect(JSON.parse(response.ResponseTemplates['application/json'])).toMatchObject({ error: 'insufficient_scope' });
  });

  test.each(['AUTHORIZER_FAILURE', 'AUTHORIZER_CONFIGURATION_ERROR'])('answers 503 for %s', (type) => {
    const response = gatewayResponses(stack)[type];
    expect(response.StatusCode).toBe('503');
    expect(header(response, 'Retry-After')).toBe("'5'");
    expect(response.ResponseParameters).not.toHaveProperty(['gatewayresponse.header.WWW-Authenticate']);
    expect(JSON.parse(response.ResponseTemplates['application/json'])).toMatchObject({
      error: 'temporarily_unavailable',
    });
  });

  test('shows all of them to clients in a browser', () => {
    for (const response of Object.values(gatewayResponses(stack))) {
      expect(header(response, 'Access-Control-Allow-Origin')).toBe("'*'");
      expect(header(response, 'Access-Control-Expose-Headers')).toBe("'WWW-Authenticate, Mcp-Session-Id, Retry-After'");
    }
  });

  test.each([`${WELL_KNOWN}`, `${WELL_KNOWN}/mcp`])('serves the metadata at %s', (path) => {
    const issuer = `<${idOf(stack, 'AWS::ApiGatewayV2::Api')}.ApiEndpoint>`;
    expect(metadata(stack, path)).toEqual({
      resource: `${base}/mcp`,
      authorization_servers: [issuer],
      scopes_supported: ['notes:use'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notes for $5, #1',
    });
    const [response] = methods(stack).get(`GET ${path}`)?.Integration.IntegrationResponses ?? [];
    // API Gateway reads it as a Velocity template, in which these begin references and directives.
    expect(text(response.ResponseTemplates['application/json'])).not.toMatch(/[$#]/);
    expect(response.ResponseParameters).toMatchObject({ 'method.response.header.Access-Control-Allow-Origin': "'*'" });
  });

  test('answers the preflights of MCP clients, whose headers are many', () => {
    for (const path of ['/mcp', WELL_KNOWN, `${WELL_KNOWN}/mcp`]) {
      const [response] = methods(stack).get(`OPTIONS ${path}`)?.Integration.IntegrationResponses ?? [];
      expect(response.ResponseParameters).toMatchObject({
        'method.response.header.Access-Control-Allow-Origin': "'*'",
        'method.response.header.Access-Control-Allow-Headers':
          "'Authorization,Content-Type,Accept,MCP-Protocol-Version,Mcp-Method,Mcp-Name,Mcp-Session-Id,Last-Event-ID,DPoP'",
      });
    }
  });

  test('registers its resource', () => {
    const [[, { Properties }]] = ofType(stack, 'Custom::McpOidcAuthProtectedResource') as unknown as [
      [string, { Properties: Record<string, unknown> }],
    ];
    expect(JSON.parse(text(Properties.Resource))).toEqual({
      identifier: `${base}/mcp`,
      name: 'Notes for $5, #1',
      scopes: [
        { name: 'notes:use', description: 'Connect to your notes', default: true, implies: [] },
        { name: 'notes:read', description: 'Read your notes', default: false, implies: [] },
        { name: 'notes:write', description: 'Add notes', default: false, implies: ['notes:read'] },
      ],
      default: false,
    });
  });

  test('is deployed anew when the challenges, the metadata or the methods change', () => {
    const deployment = (props: Partial<ProtectRestApiProps>, later: (api: RestApi) => void = () => {}) => {
      const other = newStack();
      const api = restApi(other);
      protect(other, props, api);
      later(api.api);
      return idOf(other, 'AWS::ApiGateway::Deployment');
    };
    const ids = [
      deployment({}),
      deployment({ name: 'Other' }),
      deployment({ toolScopes: { add_note: ['notes:write'] } }),
      deployment({}, (api) => api.root.addResource('health').addMethod('GET', new MockIntegration())),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(deployment({})).toBe(ids[0]);
  });
});

describe('the results cache', () => {
  const ttl = (props: Partial<ProtectRestApiProps>) => {
    const stack = newStack();
    protect(stack, props);
    return ofType(stack, 'AWS::ApiGateway::Authorizer')[0]?.[1].Properties.AuthorizerResultTtlInSeconds;
  };

  test('is a minute by default', () => expect(ttl({})).toBe(60));
  test('is what is asked for', () => expect(ttl({ resultsCacheTtl: Duration.minutes(5) })).toBe(300));
});

test('an authorizer protects further methods of the same API', () => {
  const stack = newStack();
  const api = restApi(stack);
  const { authorizer } = protect(stack, {}, api);
  api.api.root.addResource('export').addMethod('GET', api.integration, { authorizer });
  expect(methods(stack).get('GET /export')).toMatchObject({ AuthorizationType: 'CUSTOM' });
});
