import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningStack } from '../../../local/start';
import { httpApi, httpAuthorizer, lambda, ofApi, permission, startFixture } from '../fixtures/assembly';
import { sendRaw } from '../fixtures/http';

interface ApiEvent {
  routeKey: string;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
  pathParameters: Record<string, string>;
  requestContext: { authorizer: { lambda: { calls: number } } };
}

const FUNCTIONS = {
  Echo: 'exports.handler = async (event) => ({ statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(event) });',
  Answer: `exports.handler = async (event) => {
    if (event.rawPath === '/slow') return new Promise((resolve) => setTimeout(resolve, 60_000));
    return JSON.parse(Buffer.from(event.body ?? 'null', event.isBase64Encoded ? 'base64' : 'utf8').toString(), (_, value) => value === 'FAIL' ? (() => { throw new Error('asked to'); })() : value);
  };`,
  Authorizer: `let calls = 0;
    exports.handler = async (event) => {
      calls += 1;
      const token = event.headers.authorization;
      if (token === 'fail') throw new Error('asked to');
      if (token === 'malformed') return { allowed: true };
      return { isAuthorized: token.startsWith('good'), context: { calls, token, type: event.type, routeArn: event.routeArn, identitySource: event.identitySource, list: ['a'] } };
    };`,
};

let stack: RunningStack;
let origin: string;

beforeAll(async () => {
  stack = await startFixture(
    {
      ...lambda('Echo'),
      ...lambda('Answer', { Timeout: 30 }),
      ...lambda('Authorizer'),
      ...lambda('Forbidden'),
      ForbiddenPermission: permission('Forbidden', {
        SourceArn: ofApi('/*/GET/elsewhere'),
      }),
      ...lambda('Limited', { ReservedConcurrentExecutions: 0 }),
      ...httpApi({
        'GET /things': 'Echo',
        'POST /things': 'Echo',
        'ANY /things': 'Answer',
        'GET /things/{id}': 'Echo',
        'GET /things/fixed': 'Echo',
        'GET /things/{id}/{rest+}': 'Echo',
        'POST /answer': 'Answer',
        'GET /slow': 'Answer',
        'GET /not-permitted': 'Forbidden',
        'GET /limited': 'Limited',
        'GET /guarded': { function: 'Echo', authorizer: 'Guard' },
        'GET /remembered': { function: 'Echo', authorizer: 'Remembering' },
        'GET /also-remembered': { function: 'Echo', authorizer: 'Remembering' },
      }),
      Guard: httpAuthorizer('Authorizer'),
      Remembering: httpAuthorizer('Authorizer', { AuthorizerResultTtlInSeconds: 300 }),
    },
    { ...FUNCTIONS, Forbidden: FUNCTIONS.Echo, Limited: FUNCTIONS.Echo },
  );
  origin = stack.issuerOrigin!;
});

afterAll(() => stack.close());

const get = (path: string, init?: RequestInit) => fetch(origin + path, init);
const echo = async (path: string, init?: RequestInit) => (await get(path, init)).json() as Promise<ApiEvent>;
const answer = (result: unknown, init?: RequestInit) =>
  get('/answer', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(result),
    ...init,
  });

describe('routes of an HTTP API', () => {
  test('a static path goes before a parameter, and a parameter before a greedy one', async () => {
    expect((await echo('/things/fixed')).routeKey).toBe('GET /things/fixed');
    expect(await echo('/things/7')).toMatchObject({ routeKey: 'GET /things/{id}', pathParameters: { id: '7' } });
    expect(await echo('/things/7/a/b')).toMatchObject({
      routeKey: 'GET /things/{id}/{rest+}',
      pathParameters: { id: '7', rest: 'a/b' },
    });
  });

  test('a method goes before ANY', async () => {
    expect((await echo('/things')).routeKey).toBe('GET /things');
    expect(await (await get('/things', { method: 'DELETE' })).json()).toBeNull();
  });

  test('what no route names is 404', async () => {
    for (const [method, path] of [
      ['GET', '/nowhere'],
      ['PUT', '/answer'],
      ['GET', '/things/'],
      ['GET', '/'],
    ] as const) {
      const response = await get(path, { method });
      expect([response.status, await response.json()]).toEqual([404, { message: 'Not Found' }]);
    }
  });

  test('are those of its own host', async () => {
    const asked = (host: string) =>
      sendRaw(origin, `GET /things HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await asked('[::1]:3000')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await asked('localhost.example.com')).toMatch(/^HTTP\/1\.1 403 [\s\S]*\{"message":"Forbidden"\}$/);
  });

  test('$default takes what no other route takes', async () => {
    const other = await startFixture(
      { ...lambda('Echo'), ...httpApi({ 'GET /a': 'Echo', $default: 'Echo' }) },
      FUNCTIONS,
    );
    try {
      const event = (await (await fetch(`${other.issuerOrigin}/b/c`, { method: 'PUT' })).json()) as {
        routeKey: string;
      };
      expect(event.routeKey).toBe('$default');
    } finally {
      await other.close();
    }
  });
});

describe('the event of a Lambda integration', () => {
  test('has payload format 2.0', async () => {
    const event = await echo('/things?a=1&b=x%20y&a=2', { headers: { 'User-Agent': 'test', 'X-One': 'two' } });
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'GET /things',
      rawPath: '/things',
      rawQueryString: 'a=1&b=x%20y&a=2',
      queryStringParameters: { a: '1,2', b: 'x y' },
      headers: { 'x-one': 'two', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' },
      requestContext: {
        accountId: '123456789012',
        apiId: expect.stringMatching(/^[a-z0-9]{10}$/),
        domainName: new URL(origin).host,
        http: { method: 'GET', path: '/things', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
        requestId: expect.any(String),
        routeKey: 'GET /things',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      isBase64Encoded: false,
    });
    expect(event).not.toHaveProperty('body');
    expect(event).not.toHaveProperty('cookies');
    expect(event).not.toHaveProperty('pathParameters');
  });

  test('has cookies apart from the headers, and repeated headers joined', async () => {
    const raw = await sendRaw(
      origin,
      'GET /things HTTP/1.1\r\nHost: localhost\r\nCookie: a=1; b=2\r\nCookie: c=3\r\nX-Two: 1\r\nx-two: 2\r\nConnection: close\r\n\r\n',
    );
    const event = JSON.parse(raw.slice(raw.indexOf('{')));
    expect(event.cookies).toEqual(['a=1', 'b=2', 'c=3']);
    expect(event.headers).toMatchObject({ 'x-two': '1,2' });
    expect(event.headers).not.toHaveProperty('cookie');
    expect(event.headers).not.toHaveProperty('connection');
  });

  test.each([
    ['application/json', '{"a":"ä"}', false],
    ['text/plain; charset=utf-8', 'ä', false],
    ['application/x-www-form-urlencoded', 'a=b', true],
    ['application/octet-stream', 'bytes', true],
    ['', 'untyped', true],
  ])('with %s as content type', async (type, body, base64) => {
    const event = await echo('/things', { method: 'POST', headers: { 'content-type': type }, body: Buffer.from(body) });
    expect(event.isBase64Encoded).toBe(base64);
    expect(Buffer.from(event.body, base64 ? 'base64' : 'utf8').toString()).toBe(body);
  });

  test('gives path parameters decoded', async () => {
    expect((await echo('/things/a%2Fb%20c')).pathParameters).toEqual({ id: 'a/b c' });
  });
});

describe('the response to a Lambda integration', () => {
  test('is made of status, headers, cookies and body', async () => {
    const response = await answer({
      statusCode: 201,
      headers: { 'Content-Type': 'text/html', 'X-One': 'two' },
      cookies: ['a=1; Path=/', 'b=2'],
      body: '<p>ä',
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-one')).toBe('two');
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(response.headers.get('apigw-requestid')).toBeTruthy();
    expect(await response.text()).toBe('<p>ä');
  });

  test('is decoded where it says so', async () => {
    const response = await answer({
      statusCode: 200,
      isBase64Encoded: true,
      body: Buffer.from('bytes').toString('base64'),
    });
    expect(await response.text()).toBe('bytes');
  });

  test('is plain text where it has no content type', async () => {
    expect((await answer({ statusCode: 200, body: 'x' })).headers.get('content-type')).toBe(
      'text/plain; charset=utf-8',
    );
  });

  test('is inferred where there is no statusCode', async () => {
    const response = await answer({ hello: 'there' });
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'application/json',
      '{"hello":"there"}',
    ]);
    expect(await (await answer('plain')).text()).toBe('plain');
  });

  test('carries WWW-Authenticate under another name', async () => {
    const response = await answer({ statusCode: 401, headers: { 'WWW-Authenticate': 'Bearer' } });
    expect(response.headers.get('www-authenticate')).toBeNull();
    expect(response.headers.get('x-amzn-remapped-www-authenticate')).toBe('Bearer');
  });

  test('does not carry headers of the connection', async () => {
    const response = await answer({
      statusCode: 200,
      headers: { Connection: 'close', 'Transfer-Encoding': 'chunked', 'Content-Length': '999', 'Keep-Alive': 'x' },
      body: 'short',
    });
    expect(await response.text()).toBe('short');
    expect(response.headers.get('content-length')).toBe('5');
    expect(response.headers.get('connection')).not.toBe('close');
  });

  test.each([
    ['an error', 'FAIL'],
    ['a status that is none', { statusCode: 'abc' }],
    ['headers that are none', { statusCode: 200, headers: 'x' }],
  ])('is 500 for %s', async (_, result) => {
    const response = await answer(result);
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
  });

  test('is 500 where no permission lets the API invoke the function', async () => {
    const response = await get('/not-permitted');
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
  });

  test('is 503 where the function is throttled', async () => {
    const response = await get('/limited');
    expect([response.status, await response.json()]).toEqual([503, { message: 'Service Unavailable' }]);
  });
});

describe('limits of an HTTP API', () => {
  test('30 seconds, or what the integration declares', async () => {
    const resources = httpApi({ 'GET /slow': 'Answer' }) as Record<string, { Properties: Record<string, unknown> }>;
    resources.Integration0!.Properties.TimeoutInMillis = 300;
    const other = await startFixture({ ...lambda('Answer', { Timeout: 30 }), ...resources }, FUNCTIONS);
    try {
      const response = await fetch(`${other.issuerOrigin}/slow`);
      expect([response.status, await response.json()]).toEqual([503, { message: 'Service Unavailable' }]);
    } finally {
      await other.close();
    }
  });

  test('10,240 bytes of request line and headers', async () => {
    const sized = (size: number) => {
      const start = 'GET /things HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Large: ';
      return `${start}${'x'.repeat(size - start.length - 2)}\r\n\r\n`;
    };
    expect(await sendRaw(origin, sized(10_240))).toMatch(/^HTTP\/1\.1 200 /);
    expect(await sendRaw(origin, sized(10_241))).toMatch(/^HTTP\/1\.1 431 [\s\S]*"Request Header Fields Too Large"/);
  });

  test('10 MB of body', async () => {
    const response = await get('/things', { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024 + 1) });
    expect([response.status, await response.json()]).toEqual([413, { message: 'Request Entity Too Large' }]);
  });

  test('the throttle of the stage', async () => {
    const other = await startFixture(
      {
        ...lambda('Echo'),
        ...httpApi(
          { 'GET /': 'Echo' },
          { DefaultRouteSettings: { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 2 } },
        ),
      },
      FUNCTIONS,
    );
    try {
      const statuses = [];
      for (let request = 0; request < 3; request += 1) statuses.push((await fetch(`${other.issuerOrigin}/`)).status);
      expect(statuses).toEqual([200, 200, 429]);
    } finally {
      await other.close();
    }
  });
});

describe('a Lambda authorizer of an HTTP API', () => {
  const guarded = (authorization?: string, path = '/guarded') =>
    get(path, authorization === undefined ? {} : { headers: { authorization } });

  test('hands its context to the integration', async () => {
    const event = (await (await guarded('good')).json()) as ApiEvent;
    expect(event.requestContext.authorizer).toEqual({
      lambda: {
        calls: 1,
        token: 'good',
        type: 'REQUEST',
        routeArn: expect.stringMatching(
          /^arn:aws:execute-api:us-east-1:123456789012:[a-z0-9]{10}\/\$default\/GET\/guarded$/,
        ),
        identitySource: ['good'],
        list: ['a'],
      },
    });
  });

  test('is not asked without its identity source', async () => {
    const response = await guarded();
    expect([response.status, await response.json()]).toEqual([401, { message: 'Unauthorized' }]);
    const next = (await (await guarded('good')).json()) as ApiEvent;
    expect(next.requestContext.authorizer.lambda.calls).toBe(2);
  });

  test('that denies gives 403', async () => {
    const response = await guarded('bad');
    expect([response.status, await response.json()]).toEqual([403, { message: 'Forbidden' }]);
  });

  test.each(['fail', 'malformed'])('that fails gives 500 (%s)', async (token) => {
    const response = await guarded(token);
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
  });

  test('is remembered for every route that has it, as long as it says', async () => {
    const calls = async (path: string) =>
      ((await (await guarded('good one', path)).json()) as ApiEvent).requestContext.authorizer.lambda.calls;
    const first = await calls('/remembered');
    expect(await calls('/also-remembered')).toBe(first);
    await stack.setClockOffset(301);
    expect(await calls('/remembered')).toBe(1); // of a new instance
    await stack.setClockOffset(0);
  });

  test('needs a permission of its own', async () => {
    const other = await startFixture(
      {
        ...lambda('Echo'),
        ...lambda('Authorizer'),
        AuthorizerPermission: permission('Authorizer', {
          SourceArn: ofApi('/*/GET/guarded'),
        }),
        ...httpApi({ 'GET /guarded': { function: 'Echo', authorizer: 'Guard' } }),
        Guard: httpAuthorizer('Authorizer'),
      },
      FUNCTIONS,
    );
    try {
      const response = await fetch(`${other.issuerOrigin}/guarded`, { headers: { authorization: 'good' } });
      expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
    } finally {
      await other.close();
    }
  });
});
