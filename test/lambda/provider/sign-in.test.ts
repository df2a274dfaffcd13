import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantIdOf, grantKey, personKey } from '../../../lambda/provider/keys';
import { Harness, ISSUER, RESOURCE } from './harness';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness[Symbol.asyncDispose]());

describe('a sign-in', () => {
  it('goes from the authorization request through consent and upstream to tokens for one audience', async () => {
    const client = await harness.register();
    harness.upstream.claims = { sub: 'ada', email: 'ada@example.com' };
    const { answer, code, codeVerifier, consent } = await harness.signIn(client, { scope: 'notes:use notes:write' });
    expect(consent.text).toContain('Test client');
    expect(answer.searchParams.get('state')).toBe('client-state');
    expect(answer.searchParams.get('iss')).toBe(ISSUER);
    const { status, body } = await harness.redeem(client, { code, codeVerifier });
    expect([status, body]).toEqual([200, expect.objectContaining({ token_type: 'Bearer' })]);
    expect(decodeProtectedHeader(body.access_token!)).toMatchObject({ typ: 'at+jwt', alg: 'RS256' });
    expect(decodeJwt(body.access_token!)).toMatchObject({
      iss: ISSUER,
      aud: RESOURCE,
      client_id: client.client_id,
      scope: 'notes:use notes:read notes:write',
      email: 'ada@example.com',
    });
    const refreshed = await harness.refresh(client, body.refresh_token);
    expect(refreshed.status).toBe(200);
    expect(refreshed.body.refresh_token).not.toBe(body.refresh_token);
  });

  it('grants what was consented to and no more', async () => {
    const client = await harness.register();
    const { code } = await harness.signIn(client, { scope: 'notes:read' });
    const [grant] = await harness.store.read([grantKey(grantIdOf(code))]);
    expect(grant?.value).toMatchObject({ clientId: client.client_id, resources: { [RESOURCE]: 'notes:read' } });
    expect(grant?.value).not.toHaveProperty('openid');
  });

  it('is remembered under the person for as long as the grant, so that it can be listed and revoked', async () => {
    const client = await harness.register({ client_name: 'Editor' });
    harness.upstream.claims = { sub: 'grace' };
    const { body } = await harness.redeem(client, await harness.signIn(client, { scope: 'notes:write' }));
    const records = await harness.store.list(`person#${decodeJwt(body.access_token!).sub}`);
    expect(records).toEqual([
      expect.objectContaining({
        key: personKey(String(decodeJwt(body.access_token!).sub), grantIdOf(body.refresh_token!)),
        value: {
          clientId: client.client_id,
          clientName: 'Editor',
          resource: RESOURCE,
          scopes: ['notes:read', 'notes:write'],
          consentedAt: expect.closeTo(Date.now() / 1000, -1),
        },
        expiresAt: expect.closeTo(Date.now() / 1000 + harness.config.lifetimes.grant, -1),
      }),
    ]);
  });
});
