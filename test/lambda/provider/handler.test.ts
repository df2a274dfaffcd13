import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CONFIG } from '../../../lib/contract';
import { catchLog } from '../../support/log-lines';
import { Harness, ISSUER } from './harness';

type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

let harness: Harness;
let handler: Handler;
let log: ReturnType<typeof catchLog>;
beforeEach(async () => {
  harness = await Harness.start();
  for (const [name, value] of Object.entries(harness.environment)) vi.stubEnv(name, value);
  vi.stubEnv(CONFIG, JSON.stringify(harness.config));
  vi.resetModules();
  ({ handler } = (await import('../../../lambda/provider/handler.mjs')) as unknown as { handler: Handler });
  log = catchLog();
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await harness[Symbol.asyncDispose]();
});

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly cookies?: string[];
  readonly body?: string;
}

/** As API Gateway would call the function: payload format 2.0, the body in base64. */
function call({ method = 'GET', path, query = '', headers = {}, cookies, body }: Call) {
  const event = {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: query,
    headers,
    ...(cookies && { cookies }),
    ...(body !== undefined && { body: Buffer.from(body).toString('base64') }),
    isBase64Encoded: body !== undefined,
    requestContext: { requestId: 'request-1', http: { method, path, sourceIp: '203.0.113.7' } },
  };
  return handler(event as unknown as APIGatewayProxyEventV2, { getRemainingTimeInMillis: () => 29_000 } as Context);
}

describe('the function', () => {
  it('answers API Gateway: a base64 body in, cookies out and in again', async () => {
    const registered = await call({
      method: 'POST',
      path: '/register',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://client.example.com/callback'] }),
    });
    expect(registered.statusCode).toBe(201);
    const client = JSON.parse(registered.body ?? '');
    const { url } = harness.authorizationRequest(client);
    const { headers, cookies = [] } = await call({ path: url.pathname, query: url.search.slice(1) });
    const pairs = cookies.map((cookie) => cookie.split(';')[0] ?? '');
    const page = await call({ path: String(headers?.location), cookies: pairs });
    expect([page.statusCode, page.body]).toEqual([200, expect.stringContaining('<h1>Connect')]);
  });

  it('builds every address from the configured issuer, whatever host was asked', async () => {
    const { body } = await call({ path: '/.well-known/openid-configuration', headers: { Host: 'evil.example' } });
    expect(JSON.parse(body ?? '')).toMatchObject({ issuer: ISSUER, token_endpoint: `${ISSUER}/token` });
  });

  it.each([
    ['/interaction/handle', '/interaction/{uid}'],
    ['/interaction/handle/more', '/interaction/{uid}'],
    ['/authorize/handle', '/authorize/{uid}'],
    ['/authorize/handle\nmore', '/authorize/{uid}'],
    ['/callback', '/callback'],
  ])('logs the request for %j as %s, without query and handle', async (path, shown) => {
    const { statusCode } = await call({ path, query: 'code=secret-code&state=secret-state' });
    expect(log.lines()).toContainEqual({
      level: 'INFO',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      event: 'request.answered',
      requestId: 'request-1',
      method: 'GET',
      path: shown,
      status: statusCode,
    });
    expect(log.text()).not.toMatch(/secret-|handle/);
  });

  it('starts without its key set, and says when to come again', async () => {
    const config = { ...harness.config, keySetSecretArn: `${harness.config.keySetSecretArn}-other` };
    vi.stubEnv(CONFIG, JSON.stringify(config));
    vi.resetModules();
    ({ handler } = (await import('../../../lambda/provider/handler.mjs')) as unknown as { handler: Handler });
    const { statusCode, headers } = await call({ path: '/jwks' });
    expect([statusCode, headers?.['retry-after']]).toEqual([503, '5']);
  });

  it('names the request on an error page, so that the operator finds it', async () => {
    const { body } = await call({ path: '/callback' });
    expect(body).toContain('Reference: <bdi>request-1</bdi>');
  });
});
