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
import { describe, expect, test } from 'vitest';
import { gatewayResponses, header, methods, protect, WELL_KNOWN } from './rest-template';
import { newAuth, newStack, resources, restApi, SCOPES, text } from './synth';

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
    [
      { requiredScopes: ['admin'] },
      "requiredScopes must be scopes of the resource (notes:use, notes:read, notes:write), got 'admin'.",
    ],
    [{ requiredScopes: [] }, 'requiredScopes must name at least one scope, got none.'],
    [
      { toolScopes: { wipe: ['admin'] } },
      "toolScopes of 'wipe' must be scopes of the resource (notes:use, notes:read, notes:write), got 'admin'.",
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
