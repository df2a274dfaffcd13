import { decodeJwt } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import type { Answer } from '../../support/metadata-host';
import {
  authorize,
  events,
  fetches,
  harness,
  host,
  newPath,
  publish,
  signedIn,
  watchLog,
} from './client-metadata/published-clients';
import { Harness, later, REDIRECT_URI } from './harness';

const DAY = 86_400;

describe('a client with a metadata document', () => {
  it('may see in the metadata that it is welcome', async () => {
    const metadata = await (await harness.fetch('/.well-known/oauth-authorization-server')).json();
    expect(metadata).toMatchObject({
      client_id_metadata_document_supported: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none']),
    });
  });

  it('signs in, redeems and refreshes, and all instances together fetch the document once', async () => {
    const { client, refreshToken } = await signedIn();
    const { status, body } = await harness.refresh(client, refreshToken);
    expect(status).toBe(200);
    expect(decodeJwt(body.access_token!).client_id).toBe(client.client_id);
    expect(fetches(client)).toBe(1);
  });

  it('is vouched for by its document’s host on the consent page', async () => {
    const { text } = await authorize(publish());
    expect(text).toMatch(new RegExp(`comes from.{0,20}${new URL(host.origin).host}`));
    expect(text).not.toContain('Nobody has verified');
    const registered = await harness.register();
    const page = await harness.browser().open(harness.authorizationRequest(registered).url);
    expect(page.text).not.toContain('comes from');
  });

  it('revokes its token', async () => {
    const { client, refreshToken } = await signedIn();
    expect((await harness.post('/revoke', { ...client, token: refreshToken })).status).toBe(200);
    expect((await harness.refresh(client, refreshToken)).body.error).toBe('invalid_grant');
  });

  it('may send an ephemeral port where the document has none, as Claude Code does', async () => {
    const client = publish({
      client_name: 'Claude Code',
      redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
    for (const redirect_uri of ['http://localhost:51234/callback', 'http://127.0.0.1:51234/callback']) {
      expect((await authorize(client, { redirect_uri })).status).toBe(200);
    }
    expect((await authorize(client, { redirect_uri: 'http://localhost:51234/elsewhere' })).status).toBe(400);
  });

  it('may prefer keys of its own where it offers none too, as ChatGPT does', async () => {
    const { client, refreshToken } = await signedIn({
      client_name: 'ChatGPT',
      client_uri: 'https://chatgpt.com/',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      token_endpoint_auth_signing_alg: 'RS256',
      jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
    });
    expect((await harness.refresh(client, refreshToken)).status).toBe(200);
  });

  it.each<[string, Record<string, unknown>]>([
    [
      'empty strings and nulls',
      { logo_uri: '', policy_uri: null, client_secret: null, token_endpoint_auth_method: '' },
    ],
    ['unknown scopes', { scope: 'admin everything' }],
    ['unknown grants', { grant_types: ['authorization_code', 'refresh_token', 'urn:example:other'] }],
    ['another application type', { application_type: 'native' }],
    [
      'unusable redirect URIs',
      { redirect_uris: ['javascript:alert(1)', 'http://internal.example.com/', REDIRECT_URI] },
    ],
    ['private-use schemes', { redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback', REDIRECT_URI] }],
    ['https on loopback', { redirect_uris: ['https://localhost:8443/cb', 'http://localhost/cb', REDIRECT_URI] }],
    ['links that nobody may follow', { client_uri: 'javascript:alert(1)', logo_uri: 'http://169.254.169.254/' }],
    ['members that nobody knows', { sector_identifier_uri: 'http://169.254.169.254/', evil: 'x' }],
  ])('is cleaned of %s like a registration', async (_, metadata) => {
    const { client, refreshToken } = await signedIn(metadata);
    expect((await harness.refresh(client, refreshToken)).status).toBe(200);
  });

  it('has no redirect URI that was left out', async () => {
    const client = publish({ redirect_uris: ['http://internal.example.com/', REDIRECT_URI] });
    expect((await authorize(client, { redirect_uri: 'http://internal.example.com/' })).status).toBe(400);
  });
});

describe('a document is refused', () => {
  it.each<[string, Record<string, unknown>]>([
    ['client_id', { client_id: 'https://client.example.com/other' }],
    ['client_id', { client_id: undefined }],
    ['client_name', { client_name: undefined }],
    ['client_name', { client_name: ' ' }],
    ['client_name', { client_name: ['Example app'] }],
    ['client_secret', { client_secret: 'secret' }],
    ['client_secret_expires_at', { client_secret_expires_at: 0 }],
    ['token_endpoint_auth_method', { token_endpoint_auth_method: 'client_secret_basic' }],
    [
      'token_endpoint_auth_method',
      { token_endpoint_auth_method: 'client_secret_post', token_endpoint_auth_methods_supported: ['none'] },
    ],
    ['token_endpoint_auth_method', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['grant_types', { grant_types: 'authorization_code' }],
    ['redirect_uris', { redirect_uris: undefined }],
    ['redirect_uris', { redirect_uris: [] }],
    ['redirect URI', { redirect_uris: ['javascript:alert(1)'] }],
  ])('for its %s: %j', async (reason, metadata) => {
    watchLog();
    const client = publish(metadata);
    const page = await authorize(client);
    expect(page.status).toBe(400);
    expect(page.text).toContain('description cannot be used');
    expect(page.text).toContain(reason);
    const { status, body } = await harness.refresh(client, 'a.b');
    expect([status, body.error, body.error_description]).toEqual([
      400,
      'invalid_client',
      expect.stringContaining(reason),
    ]);
    expect(events()).toContainEqual(
      expect.objectContaining({
        event: 'client_metadata.refused',
        clientId: client.client_id,
        reason: expect.stringContaining(reason),
      }),
    );
    expect((await harness.items()).filter(({ pk }) => pk?.S?.startsWith('client#'))).toEqual([]);
  });

  it.each<[string, Answer]>([
    ['not a JSON object', { body: '[]' }],
    ['not a JSON object', { body: 'null' }],
    ['not a JSON object', { body: '"text"' }],
    ['not a JSON object', { body: '{' }],
    ['larger than 5120 bytes', { body: { client_name: 'x'.repeat(6000) } }],
    ['content type', { headers: { 'content-type': 'text/html' }, body: {} }],
    ['answers 404', { status: 404 }],
    ['answers 302', { status: 302, headers: { location: '/client' } }],
  ])('where it is: %s (%j)', async (reason, answer) => {
    const client_id = host.serve(newPath(), answer);
    const page = await authorize({ client_id });
    expect([page.status, page.text]).toEqual([400, expect.stringContaining(reason)]);
  });

  it.each([
    ['its host is an address', 'https://127.0.0.1/client'],
    ['its host is not a public name', 'https://intranet/client'],
    ['it has a query', 'https://localhost/client?a'],
    ['it names a port', 'https://client.example.com:8443/client'],
  ])('before anything is fetched where %s', async (reason, client_id) => {
    const lookups = vi.spyOn(DynamoStore.prototype, 'read');
    const page = await authorize({ client_id });
    expect([page.status, page.text]).toEqual([400, expect.stringContaining(reason)]);
    expect(lookups).not.toHaveBeenCalled();
  });

  it('of a host with an address that is not public', async () => {
    await using strict = await Harness.start();
    const client = publish();
    const page = await strict.browser().open(strict.authorizationRequest({ client_id: client.client_id }).url);
    expect(page.status).toBe(400);
    expect(fetches(client)).toBe(0);
  });
});

describe('a document is kept', () => {
  it('for as long as its host says, by every instance', async () => {
    const { client, refreshToken } = await signedIn({}, { headers: { 'cache-control': 'max-age=3600' } });
    later(3500);
    const { body } = await harness.refresh(client, refreshToken);
    expect(fetches(client)).toBe(1);
    later(200);
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
    expect(fetches(client)).toBe(2);
  });

  it('no longer than that: what has changed counts', async () => {
    const client = publish();
    expect((await authorize(client)).status).toBe(200);
    host.publish(new URL(client.client_id).pathname, { redirect_uris: ['https://new.example.com/callback'] });
    expect((await authorize(client)).status).toBe(200);
    later(301);
    expect((await authorize(client)).status).toBe(400);
    expect((await authorize(client, { redirect_uri: 'https://new.example.com/callback' })).status).toBe(200);
  });

  it('for a day, and for the lifetime of a client from its first token on', async () => {
    const client = publish();
    const left = async () => {
      const [record] = (await harness.items()).filter(({ pk }) => pk?.S?.startsWith('client#'));
      return Math.round((Number(record?.expiresAt?.N) - Date.now() / 1000) / DAY);
    };
    const signIn = await harness.signIn(client);
    expect(await left()).toBe(1);
    const { body } = await harness.redeem(client, signIn);
    expect(await left()).toBe(harness.config.lifetimes.client / DAY);
    // A sign-in that fetches it again takes nothing away, and a token request that does renews it.
    later(5 * DAY);
    await authorize(client);
    expect(await left()).toBe(harness.config.lifetimes.client / DAY - 5);
    later(DAY);
    await harness.refresh(client, body.refresh_token);
    expect(await left()).toBe(harness.config.lifetimes.client / DAY);
    expect(fetches(client)).toBe(3);
  });

  it('and not written anew by a token request that used an old copy', async () => {
    const { client, refreshToken } = await signedIn();
    const before = (await harness.items()).filter(({ pk }) => pk?.S?.startsWith('client#'));
    host.disturb({ status: 503 });
    later(5 * DAY);
    expect((await harness.refresh(client, refreshToken)).status).toBe(200);
    expect((await harness.items()).filter(({ pk }) => pk?.S?.startsWith('client#'))).toEqual(before);
  });
});
