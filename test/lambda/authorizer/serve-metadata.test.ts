import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { metadataServer } from '../../../lambda/authorizer/serve-metadata';

const document = { resource: 'https://mcp.example.com/mcp', authorization_servers: ['https://auth.example.com'] };
const serve = (method: string) =>
  metadataServer(document)({ requestContext: { http: { method } } } as unknown as APIGatewayProxyEventV2);

describe('the protected resource metadata', () => {
  it('is public JSON for every origin', async () => {
    const { statusCode, headers, body } = await serve('GET');
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'access-control-allow-origin': '*' });
    expect(JSON.parse(body!)).toEqual(document);
  });

  it('has the same headers and no body for HEAD', async () => {
    const get = await serve('GET');
    expect(await serve('HEAD')).toEqual({ ...get, body: '' });
  });

  it('lets clients in a browser ask with headers of their own', async () => {
    const { statusCode, headers } = await serve('OPTIONS');
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': '*, Authorization',
    });
  });

  it('is read-only', async () => {
    expect(await serve('POST')).toMatchObject({ statusCode: 405, headers: { allow: 'GET, HEAD, OPTIONS' } });
  });
});
