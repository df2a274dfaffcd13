import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningStack } from '../../../local/start';
import { lambda, ofApi, permission, proxyIntegration, restApi, startFixture } from '../fixtures/assembly';
import { sendRaw } from '../fixtures/http';

interface ApiEvent {
  body: string | null;
  headers: Record<string, string>;
  multiValueHeaders: Record<string, string[]>;
  isBase64Encoded: boolean;
  resource: string;
}

const FUNCTIONS = {
  Echo: 'exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });',
  Answer: `exports.handler = async (event) => {
    if (event.body === '"FAIL"') throw new Error('asked to');
    if (event.body === '"HANG"') return new Promise((resolve) => setTimeout(resolve, 60_000));
    return JSON.parse(event.body);
  };`,
  Streamer: `exports.handler = awslambda.streamifyResponse(async (event, stream) => {
    const metadata = { statusCode: 201, headers: { 'Content-Type': 'text/event-stream', 'WWW-Authenticate': 'Bearer' }, cookies: ['a=1', 'b=2'] };
    const { mode, url } = JSON.parse(event.body ?? '{}');
    if (mode === 'no metadata') { stream.write('just text'); stream.end(); return; }
    if (mode === 'fail first') throw new Error('asked to');
    if (mode === 'long metadata') { stream.write('{"statusCode":200,"headers":{"x":"' + 'x'.repeat(20000) + '"}}' + '\\0'.repeat(8)); stream.end(); return; }
    if (mode === 'endless metadata') { stream.write('x'.repeat(20000)); return new Promise((resolve) => setTimeout(resolve, 60_000)); }
    if (mode === 'never written') { awslambda.HttpResponseStream.from(stream, metadata).end(); return; }
    stream = awslambda.HttpResponseStream.from(stream, metadata);
    stream.write('data: one\\n\\n');
    if (mode === 'fail later') throw new Error('asked to');
    if (mode === 'hang') return new Promise((resolve) => setTimeout(resolve, 60_000));
    // The rest comes only when the client has seen the first part.
    if (url) await fetch(url);
    stream.write('data: two\\n\\n');
    stream.end();
  });`,
  Plain: 'exports.handler = async () => ({ statusCode: 200, body: "not streamed" });',
};

const OPTIONS_MOCK = {
  Type: 'MOCK',
  RequestTemplates: { 'application/json': '{ statusCode: 200 }' },
  IntegrationResponses: [
    {
      StatusCode: '204',
      ResponseParameters: { 'method.response.header.Access-Control-Allow-Origin': "'*'" },
    },
  ],
};
const OPTIONS_RESPONSE = [
  { StatusCode: '204', ResponseParameters: { 'method.response.header.Access-Control-Allow-Origin': true } },
];

let stack: RunningStack;
let origin: string;

beforeAll(async () => {
  stack = await startFixture(
    {
      ...lambda('Echo'),
      ...lambda('Answer', { Timeout: 30 }),
      ...lambda('Streamer', { Timeout: 30 }),
      ...lambda('Plain'),
      ...lambda('Forbidden'),
      ForbiddenPermission: permission('Forbidden', { SourceArn: ofApi('/other-stage/GET/not-permitted') }),
      ...lambda('Permitted'),
      PermittedPermission: permission('Permitted', { SourceArn: ofApi('/v1/GET/permitted/*') }),
      ...lambda('Limited', { ReservedConcurrentExecutions: 0 }),
      ...restApi([
        { path: '/', method: 'GET', integration: 'Echo' },
        { path: '/echo', method: 'GET', integration: 'Echo' },
        { path: '/echo', method: 'ANY', integration: 'Plain' },
        { path: '/echo', method: 'POST', integration: 'Echo' },
        { path: '/{id}', method: 'GET', integration: 'Echo' },
        { path: '/answer', method: 'POST', integration: 'Answer' },
        { path: '/brief', method: 'POST', integration: { ...proxyIntegration('Answer'), TimeoutInMillis: 300 } },
        { path: '/stream', method: 'POST', integration: 'Streamer', stream: true },
        {
          path: '/brief-stream',
          method: 'POST',
          integration: { ...proxyIntegration('Streamer', true), TimeoutInMillis: 3_000 },
        },
        { path: '/plain-stream', method: 'POST', integration: 'Plain', stream: true },
        { path: '/not-permitted', method: 'GET', integration: 'Forbidden' },
        { path: '/limited', method: 'GET', integration: 'Limited' },
        { path: '/echo', method: 'OPTIONS', integration: OPTIONS_MOCK, responses: OPTIONS_RESPONSE },
        {
          path: '/metadata',
          method: 'GET',
          integration: {
            Type: 'MOCK',
            PassthroughBehavior: 'NEVER',
            RequestTemplates: { 'application/json': '{"statusCode": 200}' },
            IntegrationResponses: [
              {
                StatusCode: '200',
                ResponseParameters: { 'method.response.header.Cache-Control': "'max-age=300'" },
                ResponseTemplates: { 'application/json': '{"resource":"it"}' },
              },
              { StatusCode: '404', SelectionPattern: '4\\d\\d' },
            ],
          },
          responses: [
            { StatusCode: '200', ResponseParameters: { 'method.response.header.Cache-Control': true } },
            { StatusCode: '404' },
          ],
        },
      ]),
    },
    { ...FUNCTIONS, Forbidden: FUNCTIONS.Echo, Permitted: FUNCTIONS.Echo, Limited: FUNCTIONS.Echo },
  );
  origin = `${stack.mcpOrigin}/v1`;
});

afterAll(() => stack.close());

const echo = async (path: string, init?: RequestInit) => (await fetch(origin + path, init)).json() as Promise<ApiEvent>;
const post = (path: string, content: unknown) =>
  fetch(origin + path, { method: 'POST', body: JSON.stringify(content) });

describe('resources of a REST API', () => {
  test('are below the stage', async () => {
    expect((await fetch(`${origin}/echo`)).status).toBe(200);
    for (const path of ['/echo', '/', '/v2/echo', '/.well-known/oauth-protected-resource']) {
      const response = await fetch(stack.mcpOrigin + path);
      expect([response.status, await response.json()]).toEqual([403, { message: 'Forbidden' }]);
    }
  });

  test('a static path goes before a parameter, a method before ANY', async () => {
    expect((await echo('/echo')).resource).toBe('/echo');
    expect(await echo('/other')).toMatchObject({ resource: '/{id}', pathParameters: { id: 'other' } });
    expect(await (await fetch(`${origin}/echo`, { method: 'DELETE' })).text()).toBe('not streamed');
    expect((await echo('/')).resource).toBe('/');
    expect((await echo('')).resource).toBe('/');
    expect(await echo('/echo/')).toMatchObject({ resource: '/echo', path: '/echo/' });
  });

  test('what has no method is answered as a missing token', async () => {
    for (const [method, path] of [
      ['PUT', '/answer'],
      ['GET', '/answer'],
      ['GET', '/a/b'],
    ] as const) {
      const response = await fetch(origin + path, { method });
      expect([response.status, await response.json()]).toEqual([403, { message: 'Missing Authentication Token' }]);
      expect(response.headers.get('x-amzn-errortype')).toBe('MissingAuthenticationTokenException');
    }
  });

  test('a method that the deployment does not hold is not there', async () => {
    const resources = restApi([{ path: '/a', method: 'GET', integration: 'Echo' }]) as Record<
      string,
      { DependsOn?: string[] }
    >;
    const { Method0, ...others } = resources;
    others.Deployment!.DependsOn = [];
    const other = await startFixture({ ...lambda('Echo'), ...others, Method0: Method0! }, FUNCTIONS);
    try {
      expect((await fetch(`${other.mcpOrigin}/v1/a`)).status).toBe(403);
    } finally {
      await other.close();
    }
  });
});

describe('the event of a Lambda proxy integration', () => {
  test('has payload format 1.0', async () => {
    const event = await echo('/echo?a=1&b=x%20y&a=2', { headers: { 'User-Agent': 'test' } });
    expect(event).toMatchObject({
      resource: '/echo',
      path: '/echo',
      httpMethod: 'GET',
      queryStringParameters: { a: '2', b: 'x y' },
      multiValueQueryStringParameters: { a: ['1', '2'], b: ['x y'] },
      pathParameters: null,
      stageVariables: null,
      body: null,
      isBase64Encoded: false,
      headers: { 'User-Agent': 'test', Host: new URL(origin).host, 'X-Forwarded-Proto': 'http' },
      requestContext: {
        accountId: '123456789012',
        apiId: expect.stringMatching(/^[a-z0-9]{10}$/),
        domainName: new URL(origin).host,
        httpMethod: 'GET',
        identity: { sourceIp: '127.0.0.1', userAgent: 'test' },
        path: '/v1/echo',
        protocol: 'HTTP/1.1',
        resourcePath: '/echo',
        stage: 'v1',
      },
    });
    expect((await echo('/echo')) as object).toMatchObject({
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
    });
  });

  test('has the last of repeated headers, and all of them', async () => {
    const raw = await sendRaw(
      stack.mcpOrigin!,
      'GET /v1/echo HTTP/1.1\r\nHost: localhost\r\nX-Two: 1\r\nX-Two: 2\r\nauthorization: me\r\nConnection: close\r\n\r\n',
    );
    const event = JSON.parse(raw.slice(raw.indexOf('{'))) as ApiEvent;
    expect(event.headers).toMatchObject({ 'X-Two': '2', Authorization: 'me' });
    expect(event.multiValueHeaders).toMatchObject({ 'X-Two': ['1', '2'] });
  });

  test('has every body as text', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await echo('/echo', { method: 'POST', headers, body: 'a=ä' })).toMatchObject({
      body: 'a=ä',
      isBase64Encoded: false,
    });
  });
});

describe('the response to a Lambda proxy integration', () => {
  test('is made of status, headers, repeated headers and body', async () => {
    const response = await post('/answer', {
      statusCode: 202,
      headers: { 'X-One': 'two' },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
      body: 'ä',
    });
    expect([response.status, await response.text()]).toEqual([202, 'ä']);
    expect(response.headers.get('x-one')).toBe('two');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('x-amzn-requestid')).toBeTruthy();
  });

  test('carries WWW-Authenticate and others under another name', async () => {
    const response = await post('/answer', {
      statusCode: 401,
      headers: { 'WWW-Authenticate': 'Bearer', Server: 'mine', 'Content-Length': '999' },
      body: 'x',
    });
    expect(response.headers.get('www-authenticate')).toBeNull();
    expect(response.headers.get('x-amzn-remapped-www-authenticate')).toBe('Bearer');
    expect(response.headers.get('x-amzn-remapped-server')).toBe('mine');
    expect(await response.text()).toBe('x');
  });

  test('is not decoded, because the API has no binary media types', async () => {
    const response = await post('/answer', { statusCode: 200, isBase64Encoded: true, body: 'Ynl0ZXM=' });
    expect(await response.text()).toBe('Ynl0ZXM=');
  });

  test.each([
    ['an error', 'FAIL'],
    ['a member that is not known', { statusCode: 200, content: 'x' }],
    ['no object', [1]],
    ['a body that is no text', { statusCode: 200, body: { a: 1 } }],
    ['nothing', null],
  ])('is 502 for %s', async (_, result) => {
    const response = await post('/answer', result);
    expect([response.status, await response.json()]).toEqual([502, { message: 'Internal server error' }]);
  });

  test('is 504 after the time limit', async () => {
    const response = await post('/brief', 'HANG');
    expect([response.status, await response.json()]).toEqual([504, { message: 'Endpoint request timed out' }]);
  });

  test.each(['/not-permitted', '/limited'])('is 500 where Lambda refuses the invocation (%s)', async (path) => {
    const response = await fetch(origin + path);
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal server error' }]);
  });
});

describe('a streamed response', () => {
  test('reaches the client while the function writes it', async () => {
    const { createServer } = await import('node:http');
    let seen = () => {};
    const firstSeen = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const gate = createServer(async (_, response) => {
      await firstSeen;
      response.end();
    });
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
    const { port } = gate.address() as { port: number };
    try {
      const response = await post('/stream', { url: `http://127.0.0.1:${port}` });
      expect(response.status).toBe(201);
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      expect((await reader.read()).value).toBe('data: one\n\n');
      seen();
      expect((await reader.read()).value).toBe('data: two\n\n');
      expect((await reader.read()).done).toBe(true);
    } finally {
      gate.close();
    }
  });

  test('carries WWW-Authenticate under another name', async () => {
    const { headers } = await post('/stream', {});
    expect(headers.get('www-authenticate')).toBeNull();
    expect(headers.get('x-amzn-remapped-www-authenticate')).toBe('Bearer');
  });

  test.each(['no metadata', 'fail first', 'long metadata', 'endless metadata', 'never written'])(
    'is 502 with %s',
    async (mode) => {
      const response = await post('/stream', { mode });
      expect([response.status, await response.json()]).toEqual([502, { message: 'Internal server error' }]);
    },
  );

  test('is 502 where the function does not stream', async () => {
    expect((await post('/plain-stream', {})).status).toBe(502);
  });

  test.each([
    ['/stream', 'fail later'],
    ['/brief-stream', 'hang'],
  ])('breaks off (%s, %s)', async (path, mode) => {
    const response = await post(path, { mode });
    expect(response.status).toBe(201);
    await expect(response.text()).rejects.toThrow('terminated');
  });
});

describe('a mock integration', () => {
  test('answers a preflight', async () => {
    const response = await fetch(`${origin}/echo`, { method: 'OPTIONS' });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('answers with its template and headers', async () => {
    const response = await fetch(`${origin}/metadata`);
    expect([response.status, await response.json()]).toEqual([200, { resource: 'it' }]);
    expect(response.headers.get('cache-control')).toBe('max-age=300');
    expect(response.headers.get('content-type')).toBe('application/json');
  });

  test('refuses a content type without a template where it does not pass it through', async () => {
    const response = await fetch(`${origin}/metadata`, { headers: { 'content-type': 'text/plain' } });
    expect([response.status, await response.json()]).toEqual([415, { message: 'Unsupported Media Type' }]);
  });

  test('fails where a body that is passed through gives no status', async () => {
    const headers = { 'content-type': 'text/plain' };
    const response = await fetch(`${origin}/echo`, { method: 'OPTIONS', headers, body: 'x' });
    expect(response.status).toBe(500);
  });
});

describe('limits of a REST API', () => {
  test('10,240 bytes of headers', async () => {
    const request = `GET /v1/echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Large: ${'x'.repeat(10_240)}\r\n\r\n`;
    expect(await sendRaw(stack.mcpOrigin!, request)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('10 MB of body, 6 MB of event', async () => {
    const send = (size: number) => fetch(`${origin}/echo`, { method: 'POST', body: Buffer.alloc(size, 'x') });
    expect((await send(10 * 1024 * 1024 + 1)).status).toBe(413);
    expect((await send(7 * 1024 * 1024)).status).toBe(413);
  });

  test('the throttle of the stage', async () => {
    const MethodSettings = [
      { HttpMethod: '*', ResourcePath: '/*', ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1 },
    ];
    const other = await startFixture(
      { ...lambda('Echo'), ...restApi([{ path: '/', method: 'GET', integration: 'Echo' }], {}, { MethodSettings }) },
      FUNCTIONS,
    );
    try {
      expect((await fetch(`${other.mcpOrigin}/v1`)).status).toBe(200);
      const response = await fetch(`${other.mcpOrigin}/v1`);
      expect([response.status, await response.json()]).toEqual([429, { message: 'Too Many Requests' }]);
    } finally {
      await other.close();
    }
  });
});
