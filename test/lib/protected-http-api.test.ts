import { Duration, type Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { CorsHttpMethod, HttpApi, type HttpApiProps } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { McpOidcAuth, type ProtectHttpApiProps } from 'mcp-oidc-auth';
import { beforeAll, describe, expect, test } from 'vitest';
import { configOf, idOf, mcpServer, newAuth, newStack, ofType, permissionsOf, SCOPES, text } from './synth';

function protect(stack: Stack, props: Partial<ProtectHttpApiProps> = {}, apiProps: HttpApiProps = {}) {
  const api = new HttpApi(stack, 'Api', apiProps);
  const integration = new HttpLambdaIntegration('Server', mcpServer(stack));
  const auth = McpOidcAuth.fromIssuer(stack, 'Auth', { issuer: 'https://auth.example.com' });
  return { api, integration, auth, notes: auth.protectHttpApi(api, { integration, scopes: SCOPES, ...props }) };
}

const routes = (stack: Stack) =>
  new Map(
    ofType(stack, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => [Properties.RouteKey as string, Properties]),
  );

const METADATA_ROUTES = ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'].flatMap(
  (path) => ['GET', 'HEAD', 'OPTIONS'].map((method) => `${method} ${path}`),
);

describe('an MCP server on an HTTP API', () => {
  let stack: Stack;
  let base: string;
  beforeAll(() => {
    stack = newStack();
    protect(stack, { claims: ['email'], name: 'Notes', requiredScopes: ['notes:read'] });
    base = `<${idOf(stack, 'AWS::ApiGatewayV2::Api')}.ApiEndpoint>`;
  });

  test('is behind the authorizer; metadata and preflights are not', () => {
    expect([...routes(stack).keys()].sort()).toEqual(
      ['GET /mcp', 'POST /mcp', 'DELETE /mcp', 'OPTIONS /mcp', ...METADATA_ROUTES].sort(),
    );
    const authorizer = idOf(stack, 'AWS::ApiGatewayV2::Authorizer');
    for (const [key, route] of routes(stack)) {
      if (/^(GET|POST|DELETE) \/mcp$/.test(key)) {
        expect(route).toMatchObject({ AuthorizationType: 'CUSTOM', AuthorizerId: { Ref: authorizer } });
      } else {
        expect(route.AuthorizationType).toBe('NONE');
      }
    }
  });

  test('has an authorizer of payload 2.0 that remembers a decision for a minute', () => {
    expect(ofType(stack, 'AWS::ApiGatewayV2::Authorizer')[0]?.[1].Properties).toMatchObject({
      AuthorizerType: 'REQUEST',
      AuthorizerPayloadFormatVersion: '2.0',
      EnableSimpleResponses: true,
      IdentitySource: ['$request.header.Authorization'],
      AuthorizerResultTtlInSeconds: 60,
    });
  });

  test('tells the functions whom and what to accept, and what to publish', () => {
    expect(configOf(stack, 'ApiMcpOidcAuthAuthorizerFunction')).toEqual({
      issuer: 'https://auth.example.com',
      jwksUri: 'https://auth.example.com/jwks',
      audience: `${base}/mcp`,
      scopes: ['notes:read'],
      toolScopes: {},
      dpop: false,
      claims: ['email'],
    });
    expect(configOf(stack, 'ApiMcpOidcAuthMetadataFunction').metadata).toEqual({
      resource: `${base}/mcp`,
      authorization_servers: ['https://auth.example.com'],
      scopes_supported: ['notes:use', 'notes:read'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notes',
    });
  });

  test('serves metadata and preflights by the function that can do that and only that', () => {
    const id = idOf(stack, 'AWS::Lambda::Function', 'ApiMcpOidcAuthMetadataFunction');
    const metadata = ofType(stack, 'AWS::Lambda::Function').find(([other]) => other === id)?.[1].Properties;
    expect(metadata).toMatchObject({ Handler: 'index.metadata', Runtime: 'nodejs24.x', Architectures: ['arm64'] });
    const integration = ofType(stack, 'AWS::ApiGatewayV2::Integration').find(
      ([, { Properties }]) => text(Properties.IntegrationUri) === `<${id}.Arn>`,
    )?.[0];
    for (const key of [...METADATA_ROUTES, 'OPTIONS /mcp']) {
      expect(text(routes(stack).get(key)?.Target)).toBe(`integrations/<${integration}>`);
    }
    for (const name of ['ApiMcpOidcAuthMetadataFunction', 'ApiMcpOidcAuthAuthorizerFunction']) {
      const group = idOf(stack, 'AWS::Logs::LogGroup', `${name}Logs`);
      expect(permissionsOf(stack, `${name}Role`)).toEqual([
        `Allow logs:CreateLogStream on <${group}.Arn>`,
        `Allow logs:PutLogEvents on <${group}.Arn>`,
      ]);
    }
  });

  test('comes with a warning about the challenge', () => {
    Annotations.fromStack(stack).hasWarning(
      '/Stack/Api/McpOidcAuth',
      Match.stringLikeRegexp('WWW-Authenticate.*mcp-oidc-auth:httpApiNoChallenge'),
    );
  });
});

test('tool scopes switch the results cache off', () => {
  const stack = newStack();
  protect(stack, { toolScopes: { add_note: ['notes:write'] } });
  expect(ofType(stack, 'AWS::ApiGatewayV2::Authorizer')[0]?.[1].Properties.AuthorizerResultTtlInSeconds).toBe(0);
});

test("the API's default authorizer does not close the metadata", () => {
  const stack = newStack();
  protect(
    stack,
    { resultsCacheTtl: Duration.seconds(0) },
    {
      defaultAuthorizer: new HttpIamAuthorizer(),
      corsPreflight: { allowOrigins: ['*'], allowMethods: [CorsHttpMethod.ANY] },
    },
  );
  for (const key of [...METADATA_ROUTES, 'OPTIONS /mcp']) {
    expect(routes(stack).get(key)?.AuthorizationType).toBe('NONE');
  }
});

test('an API without an endpoint of its own needs an identifier', () => {
  for (const props of [{ disableExecuteApiEndpoint: true }, { createDefaultStage: false }]) {
    expect(() => protect(newStack(), {}, props)).toThrow(
      'McpOidcAuth: identifier must be given for Stack/Api, because it has no $default stage or no execute-api endpoint.',
    );
    expect(protect(newStack(), { identifier: 'https://mcp.example.com/mcp' }, props).notes).toMatchObject({
      identifier: 'https://mcp.example.com/mcp',
      url: 'https://mcp.example.com/mcp',
      metadataUrl: 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp',
    });
  }
});

test('a second call on the same API fails', () => {
  const { api, auth, integration } = protect(newStack());
  expect(() => auth.protectHttpApi(api, { integration, scopes: SCOPES, path: '/other' })).toThrow(
    'McpOidcAuth: Stack/Api must have one MCP resource',
  );
});

test('the owner of the authorization server registers the resource', () => {
  const stack = newStack();
  const integration = new HttpLambdaIntegration('Server', mcpServer(stack));
  newAuth(stack).protectHttpApi(new HttpApi(stack, 'Api'), { integration, scopes: SCOPES, default: true });
  const registration = ofType(stack, 'Custom::McpOidcAuthProtectedResource')[0]?.[1].Properties;
  expect(JSON.parse(text(registration.Resource))).toMatchObject({
    identifier: `<${idOf(stack, 'AWS::ApiGatewayV2::Api', 'ApiF')}.ApiEndpoint>/mcp`,
    default: true,
  });
});
