import { CfnParameter, Duration, type Stack } from 'aws-cdk-lib';
import {
  AuthorizationType,
  EndpointType,
  GatewayResponse,
  MockIntegration,
  ResponseType,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { ProtectRestApiProps } from 'mcp-oidc-auth';
import { beforeAll, describe, expect, test } from 'vitest';
import { configOf, idOf, newAuth, newStack, ofType, permissionsOf, resources, restApi, SCOPES, text } from './synth';

function protect(stack: Stack, props: Partial<ProtectRestApiProps> = {}, api = restApi(stack)) {
  return newAuth(stack).protectRestApi(api.api, { integration: api.integration, scopes: SCOPES, ...props });
}

/** The methods of an API as `METHOD /path`, with their resources. */
function methods(stack: Stack) {
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

// biome-ignore lint/suspicious/noExplicitAny: the shape of a template is what the tests look at
function gatewayResponses(stack: Stack): Record<string, any> {
  return Object.fromEntries(
    ofType(stack, 'AWS::ApiGateway::GatewayResponse').map(([, { Properties }]) => [
      Properties.ResponseType,
      Properties,
    ]),
  );
}

const header = (response: { ResponseParameters: Record<string, unknown> }, name: string) =>
  text(response.ResponseParameters[`gatewayresponse.header.${name}`]);

const metadata = (stack: Stack, path: string) =>
  JSON.parse(
    text(methods(stack).get(`GET ${path}`)?.Integration.IntegrationResponses[0].ResponseTemplates['application/json']),
  );

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

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
      claims: ['email'],
      metadata: {},
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

describe('an API with habits of its own', () => {
  test('does not close the metadata and the preflights with its default method options', () => {
    const stack = newStack();
    const api = restApi(stack, {
      defaultMethodOptions: { authorizationType: AuthorizationType.IAM, apiKeyRequired: true },
    });
    protect(stack, {}, api);
    for (const [name, method] of methods(stack)) {
      if (!/^(GET|POST|DELETE) \/mcp$/.test(name)) {
        expect(method).toMatchObject({ AuthorizationType: 'NONE', ApiKeyRequired: false });
      }
    }
  });

  test('does not narrow the preflights with its default ones', () => {
    const stack = newStack();
    const api = restApi(stack, { defaultCorsPreflightOptions: { allowOrigins: ['https://example.com'] } });
    protect(stack, {}, api);
    for (const path of ['/mcp', WELL_KNOWN, `${WELL_KNOWN}/mcp`]) {
      const [response] = methods(stack).get(`OPTIONS ${path}`)?.Integration.IntegrationResponses ?? [];
      expect(response.ResponseParameters['method.response.header.Access-Control-Allow-Origin']).toBe("'*'");
    }
  });

  test('may have a stage of another name, resources that are there already, or the MCP server at its root', () => {
    const stack = newStack();
    const api = restApi(stack, { deployOptions: { stageName: 'live' }, endpointTypes: [EndpointType.REGIONAL] });
    api.api.root.addResource('.well-known').addResource('other').addMethod('GET', new MockIntegration());
    const notes = protect(stack, { path: '/' }, api);
    expect(text(stack.resolve(notes.url))).toMatch(/\/live$/);
    expect(text(stack.resolve(notes.metadataUrl))).toMatch(/\/live\/\.well-known\/oauth-protected-resource$/);
    expect([...methods(stack).keys()]).toEqual(expect.arrayContaining(['POST /', `GET ${WELL_KNOWN}`]));
  });
});

describe('a custom domain', () => {
  const domain = (stack: Stack) => ({
    domainName: 'mcp.example.com',
    certificate: Certificate.fromCertificateArn(
      stack,
      'Certificate',
      'arn:aws:acm:eu-west-1:111122223333:certificate/a',
    ),
  });

  test('makes the identifier, the URL and the place of the metadata', () => {
    const stack = newStack();
    const api = restApi(stack, { domainName: domain(stack), disableExecuteApiEndpoint: true });
    const notes = protect(stack, { identifier: 'https://mcp.example.com/mcp' }, api);
    expect(notes).toMatchObject({
      identifier: 'https://mcp.example.com/mcp',
      url: 'https://mcp.example.com/mcp',
      metadataUrl: 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp',
    });
    expect(header(gatewayResponses(stack).UNAUTHORIZED, 'WWW-Authenticate')).toContain(
      'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"',
    );
  });

  test('may be a parameter', () => {
    const stack = newStack();
    const host = new CfnParameter(stack, 'Host').valueAsString;
    const notes = protect(stack, { identifier: `https://${host}/mcp` });
    expect(text(stack.resolve(notes.metadataUrl))).toBe(`https://<Host>${WELL_KNOWN}/mcp`);
  });

  test('needs an identifier, even when it comes later', () => {
    const stack = newStack();
    const api = restApi(stack);
    protect(stack, {}, api);
    api.api.addDomainName('Domain', domain(stack));
    expect(() => resources(stack)).toThrow(
      "McpOidcAuth: identifier must be given for Stack/Api, because it has a custom domain: the MCP server's URL there.",
    );
  });

  test('needs an identifier where there is no execute-api endpoint or no stage', () => {
    for (const props of [{ disableExecuteApiEndpoint: true }, { deploy: false }]) {
      const stack = newStack();
      expect(() => protect(stack, {}, restApi(stack, props))).toThrow(
        'McpOidcAuth: identifier must be given for Stack/Api, because it has no deployment stage or no execute-api endpoint.',
      );
    }
  });
});

describe('one MCP resource per RestApi', () => {
  test('a second call fails', () => {
    const stack = newStack();
    const { api, integration } = restApi(stack);
    const auth = newAuth(stack);
    auth.protectRestApi(api, { integration, scopes: SCOPES });
    expect(() => auth.protectRestApi(api, { integration, scopes: SCOPES, path: '/other' })).toThrow(
      'McpOidcAuth: Stack/Api must have one MCP resource',
    );
  });

  test.each([
    ResponseType.UNAUTHORIZED,
    ResponseType.ACCESS_DENIED,
    ResponseType.AUTHORIZER_FAILURE,
    ResponseType.AUTHORIZER_CONFIGURATION_ERROR,
  ])('a response of type $responseType from elsewhere fails, before or after', (type) => {
    for (const when of ['before', 'after']) {
      const stack = newStack();
      const api = restApi(stack);
      const add = () => new GatewayResponse(stack, 'Own', { restApi: api.api, type });
      when === 'before' && add();
      protect(stack, {}, api);
      when === 'after' && add();
      expect(() => resources(stack)).toThrow(
        `McpOidcAuth: Stack/Api must leave ${type.responseType} responses to protectRestApi, got one at Stack/Own/Resource.`,
      );
    }
  });

  test('other responses, and responses of other APIs, do not matter', () => {
    const stack = newStack();
    const api = restApi(stack);
    api.api.addGatewayResponse('Throttled', { type: ResponseType.THROTTLED });
    const other = new RestApi(stack, 'Other');
    other.root.addMethod('GET', new MockIntegration());
    other.addGatewayResponse('Unauthorized', { type: ResponseType.UNAUTHORIZED });
    protect(stack, {}, api);
    expect(() => resources(stack)).not.toThrow();
  });

  test('methods that are there already fail', () => {
    const stack = newStack();
    const api = restApi(stack);
    api.api.root.addResource('mcp').addMethod('ANY', new MockIntegration());
    expect(() => protect(stack, {}, api)).toThrow(
      "McpOidcAuth: Stack/Api must leave '/mcp' to protectRestApi, which adds the methods there, got ANY.",
    );
  });
});

describe('wrong props', () => {
  test.each<[Partial<ProtectRestApiProps>, string]>([
    [{ path: 'mcp' }, "path must be like '/mcp'"],
    [{ path: '/mcp/' }, "path must be like '/mcp'"],
    [{ path: '/{proxy+}' }, "path must be like '/mcp'"],
    [
      { identifier: 'https://mcp.example.com' },
      "identifier must end with the path '/mcp', got 'https://mcp.example.com'.",
    ],
    [{ requiredScopes: ['admin'] }, "requiredScopes must be among notes:use, notes:read, notes:write, got 'admin'."],
    [{ requiredScopes: [] }, 'requiredScopes must name at least one scope, got none.'],
    [
      { toolScopes: { wipe: ['admin'] } },
      "toolScopes of 'wipe' must be among notes:use, notes:read, notes:write, got 'admin'.",
    ],
    [{ claims: ['sub'] }, "claims must not have 'sub': the handler gets sub, client_id and scope anyway."],
    [{ resultsCacheTtl: Duration.hours(2) }, 'resultsCacheTtl must be at most 1 hour, got 2 hours.'],
    [
      { resultsCacheTtl: Duration.minutes(1), toolScopes: { add_note: ['notes:write'] } },
      'resultsCacheTtl must be 0 with toolScopes, got 1 minute.',
    ],
    [{ scopes: [] }, "scopes of '/mcp' must list at least one scope, got none."],
    [
      { scopes: [{ name: "it's", description: 'x' }] },
      'scopes and identifier on a REST API must be without single quotes',
    ],
  ])('%o are refused', (props, message) => {
    expect(() => protect(newStack(), props)).toThrow(message);
  });

  test('are shown without the placeholders that nobody can read', () => {
    const scopes = [{ name: "it's", description: 'x' }];
    expect(() => protect(newStack(), { scopes })).toThrow(
      /got Bearer resource_metadata="https:\/\/<a token>\.execute-api\.<a token>\.<a token>\/prod\/\.well-known/,
    );
    const stack = newStack();
    const identifier = new CfnParameter(stack, 'Identifier').valueAsString;
    expect(() => protect(stack, { identifier })).toThrow("identifier must end with the path '/mcp', got a token.");
  });
});

test('an authorizer protects further methods of the same API', () => {
  const stack = newStack();
  const api = restApi(stack);
  const { authorizer } = protect(stack, {}, api);
  api.api.root.addResource('export').addMethod('GET', api.integration, { authorizer });
  expect(methods(stack).get('GET /export')).toMatchObject({ AuthorizationType: 'CUSTOM' });
});
