import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { authorizer } from '../../lambda/authorizer/authorize';
import { httpEvent, restEvent } from '../lambda/authorizer/events';
import { Harness, ISSUER, NOTES, RESOURCE } from '../lambda/provider/harness';
import { catchLog } from '../support/log-lines';

const FILES = { ...NOTES, identifier: 'https://files.example.com/mcp' };

let harness: Harness;
let keys: Server;
let authorize: ReturnType<typeof authorizer>;
let issued: Record<string, string>;

/** The authorizer of an MCP server, and everything that the authorization server in front of it hands out. */
beforeAll(async () => {
  catchLog();
  harness = await Harness.start({ resources: [NOTES, FILES] });
  keys = createServer(async (_, response) => response.end(await (await harness.fetch('/jwks')).text()));
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  authorize = authorizer({
    issuer: ISSUER,
    jwksUri: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks`,
    audience: RESOURCE,
    scopes: ['notes:use'],
    toolScopes: {},
    claims: [],
    dpop: false,
  });

  const client = await harness.register({ token_endpoint_auth_method: 'client_secret_post' });
  const secret = { client_secret: client.client_secret };
  const scope = 'openid notes:use';
  const { body } = await harness.redeem(client, await harness.signIn(client, { scope }), secret);
  const files = { scope, resource: FILES.identifier };
  const other = await harness.redeem(client, await harness.signIn(client, files), { ...secret, ...files });
  const narrow = await harness.redeem(client, await harness.signIn(client, { scope: 'notes:read' }), secret);
  issued = {
    access: body.access_token!,
    id: body.id_token!,
    refresh: body.refresh_token!,
    code: (await harness.signIn(client)).code,
    otherResource: other.body.access_token!,
    narrow: narrow.body.access_token!,
    clientSecret: client.client_secret!,
  };
});
afterAll(async () => {
  vi.restoreAllMocks();
  await new Promise((resolve) => keys.close(resolve));
  await harness[Symbol.asyncDispose]();
});

describe('what the authorization server has issued opens the MCP server', () => {
  it('where it is the access token', async () => {
    await expect(authorize(restEvent({ Authorization: `Bearer ${issued.access}` }))).resolves.toMatchObject({
      policyDocument: { Statement: [{ Effect: 'Allow' }] },
    });
  });

  it.each(['id', 'refresh', 'code', 'otherResource', 'clientSecret'])(
    'and not where it is another thing: %s',
    async (name) => {
      const headers = { Authorization: `Bearer ${issued[name]}` };
      await expect(authorize(restEvent(headers))).rejects.toThrow(/^Unauthorized$/);
      await expect(authorize(httpEvent(headers))).resolves.toEqual({ isAuthorized: false });
    },
  );

  it('and not without the scope', async () => {
    await expect(authorize(restEvent({ Authorization: `Bearer ${issued.narrow}` }))).resolves.toMatchObject({
      policyDocument: { Statement: [{ Effect: 'Deny' }] },
    });
  });

  it.each<[string, () => Record<string, string | string[]>]>([
    ['twice, right and right', () => ({ Authorization: [`Bearer ${issued.access}`, `Bearer ${issued.access}`] })],
    ['twice, wrong and right', () => ({ Authorization: ['Bearer x', `Bearer ${issued.access}`] })],
    [
      'twice, for two resources',
      () => ({ Authorization: [`Bearer ${issued.otherResource}`, `Bearer ${issued.access}`] }),
    ],
    [
      'under two spellings of the header',
      () => ({ Authorization: `Bearer ${issued.access}`, authorization: 'Bearer x' }),
    ],
    ['joined by a comma', () => ({ Authorization: `Bearer ${issued.access},Bearer ${issued.otherResource}` })],
    ['joined by a comma with nothing', () => ({ Authorization: `Bearer ${issued.access},` })],
    ['with a parameter', () => ({ Authorization: `Bearer ${issued.access}, error="x"` })],
    ['in another header', () => ({ 'X-Amzn-Remapped-Authorization': `Bearer ${issued.access}` })],
    ['in a cookie', () => ({ Cookie: `access_token=${issued.access}` })],
    ['under another scheme', () => ({ Authorization: `DPoP ${issued.access}` })],
    ['as the password of Basic', () => ({ Authorization: `Basic ${btoa(`x:${issued.access}`)}` })],
  ])('and not where it is presented %s', async (_, headersOf) => {
    await expect(authorize(restEvent(headersOf()))).rejects.toThrow(/^Unauthorized$/);
    await expect(authorize(httpEvent(headersOf()))).resolves.toEqual({ isAuthorized: false });
  });

  it('and not where it is in the query string (RFC 6750 section 2.3)', async () => {
    const inQuery = { access_token: issued.access };
    await expect(authorize({ ...restEvent({}), queryStringParameters: inQuery })).rejects.toThrow(/^Unauthorized$/);
    const rawQueryString = new URLSearchParams({ access_token: issued.access! }).toString();
    await expect(authorize({ ...httpEvent({}), rawQueryString })).resolves.toEqual({ isAuthorized: false });
  });
});
