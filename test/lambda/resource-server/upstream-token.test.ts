import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { credentialOfEnvironment } from '../../../lambda/resource-server/credential';
import { UpstreamTokenError, upstreamToken } from '../../../lambda/resource-server/upstream-token';
import { Harness, later, NOTES } from '../provider/harness';
import { registerServer, SERVER } from '../provider/resource-server';

let harness: Harness;
let client: Record<string, string>;
/** The authorization server behind an address of its own. */
let door: Server;
let asked: { authorization: string | undefined }[] = [];
let options: { issuer: string; clientId: string; clientSecret: string };
beforeAll(async () => {
  harness = await Harness.start({ instances: 2, resources: [{ ...NOTES, upstreamTokens: true }] });
  client = await harness.register();
  await registerServer(harness);
  door = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    const { authorization, 'content-type': type = '' } = request.headers;
    asked.push({ authorization });
    const headers = { 'content-type': type, ...(authorization === undefined ? {} : { authorization }) };
    const answer = await harness.fetch(request.url ?? '/', { method: request.method, headers, body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  options = { issuer, clientId: SERVER.id, clientSecret: SERVER.secret };
});
afterAll(async () => {
  door.closeAllConnections();
  door.close();
  await harness[Symbol.asyncDispose]();
});
beforeEach(() => {
  asked = [];
  Object.assign(harness.upstream, { refreshTokens: true, accessTokenLifetime: 600, scope: 'calendar' });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  delete harness.upstream.failure;
});

async function event(): Promise<{ headers: Record<string, string>; refreshToken: string }> {
  const { body } = await harness.redeem(client, await harness.signIn(client));
  return { headers: { Authorization: `Bearer ${body.access_token}` }, refreshToken: body.refresh_token! };
}

const failure = (of: Promise<unknown>) =>
  of.then(
    () => undefined,
    (error: UpstreamTokenError) => error,
  );

describe('upstreamToken', () => {
  it('exchanges the access token of the request', async () => {
    const token = await upstreamToken(await event(), options);
    expect(token).toEqual({
      accessToken: `upstream-access-${harness.upstream.tokenRequests.length}`,
      tokenType: 'Bearer',
      scope: 'calendar',
      expiresAt: expect.any(Number),
    });
    expect(token.expiresAt! - Date.now()).toBeGreaterThan(590_000);
  });

  it('asks once for the same access token, however many ask at once, until shortly before the end', async () => {
    const request = await event();
    const all = await Promise.all(Array.from({ length: 10 }, () => upstreamToken(request, options)));
    expect(new Set(all.map(({ accessToken }) => accessToken)).size).toBe(1);
    later(560);
    expect((await upstreamToken(request, options)).accessToken).toBe(all[0]!.accessToken);
    expect(asked).toHaveLength(1);
    later(20);
    expect((await upstreamToken(request, options)).accessToken).not.toBe(all[0]!.accessToken);
    expect(asked).toHaveLength(2);
  });

  it('keeps the tokens of different people, and of different credentials, apart', async () => {
    const [one, other] = [await event(), await event()];
    const first = await upstreamToken(one, options);
    expect((await upstreamToken(other, options)).accessToken).not.toBe(first.accessToken);
    const wrong = await failure(upstreamToken(one, { ...options, clientSecret: 'wrong' }));
    expect(wrong).toMatchObject({ status: 500, error: 'invalid_client' });
  });

  it('of a person whose grant has ended is 401, and remembers no failure', async () => {
    const request = await event();
    harness.upstream.failure = 500;
    later(700);
    vi.spyOn(console, 'error').mockReturnValue();
    expect(await failure(upstreamToken(request, options))).toMatchObject({ status: 503 });
    delete harness.upstream.failure;
    expect((await upstreamToken(request, options)).accessToken).toMatch(/^upstream-access-/);
    const ended = await event();
    await harness.post('/revoke', { token: ended.refreshToken, client_id: client.client_id });
    const error = await failure(upstreamToken(ended, options));
    expect(error).toBeInstanceOf(UpstreamTokenError);
    expect(error).toMatchObject({ status: 401, error: 'invalid_grant' });
  });

  it.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['two tokens', { authorization: 'Bearer a', Authorization: 'Bearer b' }],
  ])('of a request with %s is 401 without being asked for', async (_, headers) => {
    expect(await failure(upstreamToken({ headers }, options))).toMatchObject({ status: 401 });
    expect(asked).toEqual([]);
  });

  it.each([
    ['ends in the middle', '{"access_token":"abc'],
    ['is a page', '<!doctype html>'],
    ['has no token', '{"token_type":"Bearer"}'],
  ])('is 503 where an answer %s, and is asked for again', async (_, cut) => {
    const request = await event();
    const fetched = vi.spyOn(globalThis, 'fetch').mockResolvedValueOnce(new Response(cut, { status: 200 }));
    expect(await failure(upstreamToken(request, options))).toMatchObject({ status: 503 });
    fetched.mockRestore();
    expect((await upstreamToken(request, options)).accessToken).toMatch(/^upstream-access-/);
  });

  it('is 503 where the authorization server cannot be reached, and tells nothing of the token', async () => {
    const request = await event();
    const error = await failure(upstreamToken(request, { ...options, issuer: 'http://127.0.0.1:9' }));
    expect(error).toMatchObject({ status: 503 });
    const token = request.headers.Authorization!.slice('Bearer '.length);
    expect(decodeJwt(token).sub).toBeDefined();
    expect(`${error} ${JSON.stringify(error)}`).not.toContain(token);
  });
});

describe('upstreamToken in a function that grantUpstreamTokens has set up', () => {
  it('reads its credential once, and again where it is refused', async () => {
    for (const [name, value] of Object.entries(harness.environment)) vi.stubEnv(name, value);
    const secrets = new SecretsManagerClient({});
    const newSecret = () => randomBytes(24).toString('base64url');
    const [first, second] = [newSecret(), newSecret()];
    const SecretString = (client_secret: string) => JSON.stringify({ client_id: SERVER.id, client_secret });
    const { ARN } = await secrets.send(new CreateSecretCommand({ Name: 'server', SecretString: SecretString(first) }));
    vi.stubEnv('MCP_UPSTREAM_TOKEN_ENDPOINT', `${options.issuer}/token`);
    vi.stubEnv('MCP_UPSTREAM_TOKEN_SECRET_ARN', ARN!);
    await registerServer(harness, { ...SERVER, secret: first });
    const reads = () => harness.calls.filter((action) => action === 'secretsmanager:GetSecretValue').length;
    await upstreamToken(await event());
    const before = reads();
    await upstreamToken(await event());
    expect(reads()).toBe(before);

    await harness.putSecret(ARN!, SecretString(second));
    await registerServer(harness, { ...SERVER, secret: second });
    await upstreamToken(await event());
    expect(reads()).toBe(before + 1);
    await registerServer(harness);
  });

  it('says what is missing in one that it has not', async () => {
    vi.stubEnv('MCP_UPSTREAM_TOKEN_ENDPOINT', '');
    await expect(credentialOfEnvironment({ anew: true })).rejects.toThrow('McpOidcAuth.grantUpstreamTokens sets.');
  });
});
