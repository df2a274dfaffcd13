import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningStack } from '../../../local/start';
import {
  gatewayResponse,
  lambda,
  ofApi,
  permission,
  restApi,
  restAuthorizer,
  startFixture,
} from '../fixtures/assembly';

interface ApiEvent {
  requestContext: { authorizer: Record<string, string> };
}

const FUNCTIONS = {
  Echo: 'exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });',
  Authorizer: `let calls = 0;
    exports.handler = async (event) => {
      calls += 1;
      const token = event.headers.Authorization ?? 'none';
      if (token === 'unknown') throw new Error('Unauthorized');
      if (token === 'fail') throw new Error('Unauthorized person');
      if (token === 'malformed') return { policyDocument: {} };
      if (token === 'nested') return { principalId: 'p', policyDocument: policy('Allow', event.methodArn), context: { a: { b: 1 } } };
      const all = event.methodArn.split('/').slice(0, 2).join('/') + '/*/*';
      if (token === 'denied') return { principalId: 'p', policyDocument: policy('Deny', all), context: { reason: 'because' } };
      if (token === 'narrow') return { principalId: 'p', policyDocument: policy('Allow', event.methodArn) };
      return { principalId: 'p', policyDocument: policy('Allow', all), context: { calls, yes: true, type: event.type, arn: event.methodArn } };
    };
    const policy = (Effect, Resource) => ({ Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }] });`,
};

const RESPONSES = {
  Unauthorized: gatewayResponse('UNAUTHORIZED', {
    StatusCode: '401',
    ResponseParameters: {
      'gatewayresponse.header.WWW-Authenticate': '\'Bearer realm="here"\'',
      'gatewayresponse.header.X-Request': 'context.requestId',
      'gatewayresponse.header.X-Origin': 'method.request.header.Origin',
    },
    ResponseTemplates: {
      'application/json': '{"error":$context.error.messageString,"type":"$context.error.responseType"}',
    },
  }),
  Denied: gatewayResponse('ACCESS_DENIED', {
    ResponseParameters: { 'gatewayresponse.header.X-Reason': 'context.authorizer.reason' },
    ResponseTemplates: { 'application/json': '{"because":"$context.authorizer.reason"}' },
  }),
  Others: gatewayResponse('DEFAULT_5XX', {
    StatusCode: '503',
    ResponseParameters: { 'gatewayresponse.header.Retry-After': "'5'" },
  }),
};

const METHODS = [
  { path: '/a', method: 'GET', integration: 'Echo', authorizer: 'Guard' },
  { path: '/b', method: 'GET', integration: 'Echo', authorizer: 'Remembering' },
  { path: '/c', method: 'GET', integration: 'Echo', authorizer: 'Remembering' },
];
const AUTHORIZERS = {
  Guard: restAuthorizer('Authorizer'),
  Remembering: restAuthorizer('Authorizer', { AuthorizerResultTtlInSeconds: 300 }),
};

let plain: RunningStack;
let customized: RunningStack;

beforeAll(async () => {
  const functions = { ...lambda('Echo'), ...lambda('Authorizer') };
  [plain, customized] = await Promise.all([
    startFixture({ ...functions, ...restApi(METHODS, AUTHORIZERS) }, FUNCTIONS),
    startFixture({ ...functions, ...restApi(METHODS, { ...AUTHORIZERS, ...RESPONSES }) }, FUNCTIONS),
  ]);
});

afterAll(() => Promise.all([plain.close(), customized.close()]));

const get = (stack: RunningStack, path: string, authorization?: string) =>
  fetch(`${stack.mcpOrigin}/v1${path}`, {
    headers: { origin: 'https://client.example', ...(authorization === undefined ? {} : { authorization }) },
  });
const answer = async (path: string, authorization?: string) => {
  const response = await get(plain, path, authorization);
  return [response.status, await response.json()];
};
const context = async (path: string, authorization: string) =>
  ((await (await get(plain, path, authorization)).json()) as ApiEvent).requestContext.authorizer;

describe('a REQUEST authorizer', () => {
  test('hands its context on as text', async () => {
    expect(await context('/a', 'good')).toMatchObject({
      principalId: 'p',
      yes: 'true',
      type: 'REQUEST',
      arn: expect.stringMatching(/^arn:aws:execute-api:us-east-1:123456789012:[a-z0-9]{10}\/v1\/GET\/a$/),
    });
  });

  test('is not asked without its identity source', async () => {
    expect(await answer('/b')).toEqual([401, { message: 'Unauthorized' }]);
    expect(await answer('/b', '')).toEqual([401, { message: 'Unauthorized' }]);
  });

  test('is asked without its identity source where nothing is remembered', async () => {
    expect((await get(plain, '/a')).status).toBe(200);
  });

  test('gives 401 for the error "Unauthorized" and 500 for every other', async () => {
    expect(await answer('/a', 'unknown')).toEqual([401, { message: 'Unauthorized' }]);
    expect(await answer('/a', 'fail')).toEqual([500, { message: null }]);
    expect((await get(plain, '/a', 'fail')).headers.get('x-amzn-errortype')).toBe('AuthorizerFailureException');
  });

  test.each(['malformed', 'nested'])('gives 500 for an answer that is not of the form (%s)', async (token) => {
    expect(await answer('/a', token)).toEqual([500, { message: null }]);
    expect((await get(plain, '/a', token)).headers.get('x-amzn-errortype')).toBe('AuthorizerConfigurationException');
  });

  test('gives 403 where its policy denies, or allows something else', async () => {
    expect(await answer('/a', 'denied')).toEqual([
      403,
      { message: 'User is not authorized to access this resource with an explicit deny' },
    ]);
    expect((await get(plain, '/b', 'narrow')).status).toBe(200);
    // The policy for GET /b is remembered for the whole API.
    expect(await answer('/c', 'narrow')).toEqual([403, { message: 'User is not authorized to access this resource' }]);
  });

  test('is remembered by the identity source for the whole API, as long as it says', async () => {
    const { calls } = await context('/b', 'good one');
    expect((await context('/c', 'good one')).calls).toBe(calls);
    expect((await context('/c', 'good other')).calls).not.toBe(calls);
    await plain.setClockOffset(301);
    expect((await context('/b', 'good one')).calls).toBe('1'); // of a new instance
    await plain.setClockOffset(0);
  });

  test('needs a permission', async () => {
    const other = await startFixture(
      {
        ...lambda('Echo'),
        ...lambda('Authorizer'),
        AuthorizerPermission: permission('Authorizer', { SourceArn: ofApi('/*/GET/a') }),
        ...restApi(METHODS, AUTHORIZERS),
      },
      FUNCTIONS,
    );
    try {
      const response = await get(other, '/a', 'good');
      expect(response.status).toBe(500);
      expect(response.headers.get('x-amzn-errortype')).toBe('AuthorizerConfigurationException');
    } finally {
      await other.close();
    }
  });
});

describe('gateway responses', () => {
  test('have the headers and the body that are declared', async () => {
    const response = await get(customized, '/b');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="here"');
    expect(response.headers.get('x-request')).toBe(response.headers.get('x-amzn-requestid'));
    expect(response.headers.get('x-origin')).toBe('https://client.example');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ error: 'Unauthorized', type: 'UNAUTHORIZED' });
  });

  test('leave out a header whose value is absent', async () => {
    const response = await fetch(`${customized.mcpOrigin}/v1/b`);
    expect(response.headers.has('x-origin')).toBe(false);
  });

  test('can show what a denying authorizer says, and keep the status of their type', async () => {
    const response = await get(customized, '/a', 'denied');
    expect([response.status, await response.json()]).toEqual([403, { because: 'because' }]);
    expect(response.headers.get('x-reason')).toBe('because');
  });

  test('of a class stand in for those of its types', async () => {
    const response = await get(customized, '/a', 'fail');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.json()).toEqual({ message: null });
  });

  test('are left to API Gateway where none is declared', async () => {
    expect((await get(customized, '/nowhere')).status).toBe(403);
  });
});
