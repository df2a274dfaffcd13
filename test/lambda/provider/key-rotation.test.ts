import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeKeySet } from '../../../lambda/key-set/make-key-set';
import { everyJwk, publicJwk } from '../../../lambda/key-set/public-jwk';
import { successorsFrom } from '../../../lambda/provider/successors';
import { nextKeySet } from '../../../lambda/rotate-keys/next-key-set';
import type { KeySet, SymmetricKey } from '../../../lib/contract';
import { SOON } from '../../support/soon';
import { Harness, ISSUER, later, RESOURCE } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeEach(async () => {
  harness = await Harness.start({ instances: 2, lifetimes: { refreshGrace: 600 } });
  client = await harness.register();
});
afterEach(async () => {
  vi.useRealTimers();
  await harness[Symbol.asyncDispose]();
});

const now = () => Math.floor(Date.now() / 1000);

async function jwks(): Promise<JSONWebKeySet> {
  return (await (await harness.fetch('/jwks')).json()) as JSONWebKeySet;
}

const kidOf = (token: string | undefined) => decodeProtectedHeader(token ?? '').kid;

async function tokens() {
  const { body } = await harness.redeem(client, await harness.signIn(client, { scope: 'openid notes:use' }));
  return body;
}

/** Puts a key set in place and lets both instances look at it. */
async function turnOver(keySet: KeySet): Promise<void> {
  await harness.putSecret(harness.config.keySetSecretArn, JSON.stringify(keySet));
  later(harness.config.keySetRefresh + 1);
  const published = everyJwk(keySet).map(({ kid }) => kid);
  // The first look of an instance serves the old set and fetches the new one.
  await vi.waitFor(async () => {
    for (const { keys } of await Promise.all([jwks(), jwks()])) {
      expect(keys.map(({ kid }) => kid)).toEqual(published);
    }
  }, SOON);
}

async function rotate(keySet: KeySet): Promise<KeySet> {
  const next = await nextKeySet(keySet, { algorithm: 'RS256', minimumPublication: 0, retirement: 86_400 }, now());
  await turnOver(next);
  return next;
}

describe('a rotation of the signing key', () => {
  it('lets the key sign that was published before, and both kinds of token verify by every key set since', async () => {
    const before = await jwks();
    const old = await tokens();
    expect(kidOf(old.access_token)).toBe(harness.keySet.current.jwk.kid);

    await rotate(harness.keySet);
    const fresh = await tokens();
    expect(kidOf(fresh.access_token)).toBe(harness.keySet.next.jwk.kid);
    expect(kidOf(fresh.id_token)).toBe(harness.keySet.next.jwk.kid);

    const after = await jwks();
    for (const [token, keySet] of [
      [old.access_token, after],
      [fresh.access_token, after],
      [fresh.access_token, before],
    ] as const) {
      await jwtVerify(token!, createLocalJWKSet(keySet), { issuer: ISSUER, audience: RESOURCE, typ: 'at+jwt' });
    }
  });

  it('publishes public halves only', async () => {
    await rotate(harness.keySet);
    const { keys } = await jwks();
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  it('to a key set that cannot be used leaves the good one in use', async () => {
    const before = await jwks();
    const broken = { ...harness.keySet, next: undefined };
    await harness.putSecret(harness.config.keySetSecretArn, JSON.stringify(broken));
    for (let i = 0; i < 3; i++) {
      later(harness.config.keySetRefresh + 1);
      for (const { keys } of await Promise.all([jwks(), jwks()])) expect(keys).toEqual(before.keys);
    }
    expect((await harness.redeem(client, await harness.signIn(client))).status).toBe(200);
  });

  it('lets refresh tokens live on', async () => {
    const { refresh_token: token } = await tokens();
    await rotate(harness.keySet);
    expect((await harness.refresh(client, token)).status).toBe(200);
  });

  it('disturbs no sign-in that is under way', async () => {
    const browser = harness.browser();
    const page = await browser.open(harness.authorizationRequest(client).url);
    await rotate(harness.keySet);
    const { url } = await browser.submit(page, 'allow', {}, ({ hostname }) => hostname === 'client.example.com');
    expect(url.searchParams.get('code')).toBeTruthy();
  });
});

describe('a key set for ES256', () => {
  it('signs access tokens with it and ID tokens with RS256, and takes over from RS256 without a break', async () => {
    const old = await tokens();
    const elliptic = await makeKeySet(now(), 'ES256');
    const before = harness.keySet;
    // As two rotations after the operator has chosen it.
    await turnOver({ ...before, next: elliptic.current });
    await turnOver({
      ...before,
      current: elliptic.current,
      next: elliptic.next,
      previous: [{ jwk: publicJwk(before.current.jwk), retiredAt: now() }],
    });
    const fresh = await tokens();
    expect(decodeProtectedHeader(fresh.access_token!)).toMatchObject({
      alg: 'ES256',
      kid: elliptic.current.jwk.kid,
      typ: 'at+jwt',
    });
    expect(decodeProtectedHeader(fresh.id_token!)).toMatchObject({
      alg: 'RS256',
      kid: elliptic.current.idTokenJwk!.kid,
    });
    const keys = createLocalJWKSet(await jwks());
    for (const token of [old.access_token, fresh.access_token]) {
      await jwtVerify(token!, keys, { issuer: ISSUER, audience: RESOURCE, typ: 'at+jwt' });
    }
    await jwtVerify(fresh.id_token!, keys, { issuer: ISSUER, audience: client.client_id });
    expect((await harness.refresh(client, old.refresh_token)).status).toBe(200);
    const metadata = await (await harness.fetch('/.well-known/openid-configuration')).json();
    expect(metadata).toMatchObject({ id_token_signing_alg_values_supported: ['RS256'] });
  });

  it('lets no client choose how its ID tokens are signed, which would break it at the next change', async () => {
    await turnOver(await makeKeySet(now(), 'ES256'));
    const choosing = await harness.register({ id_token_signed_response_alg: 'ES256' });
    const { body } = await harness.redeem(choosing, await harness.signIn(choosing, { scope: 'openid notes:use' }));
    expect(decodeProtectedHeader(body.id_token!).alg).toBe('RS256');
  });
});

describe('a rotation of the encryption keys', () => {
  /** The id of the key that has sealed upstream's refresh token. */
  async function sealedBy(): Promise<string | undefined> {
    const items = await harness.items();
    const [record] = items.filter(({ sk }) => sk?.S === '/upstream');
    return (JSON.parse(record!.value!.S!).sealed as string).split('.')[0];
  }

  it('opens what the old key has sealed, and moves it to the new one when it is written again', async () => {
    harness.upstream.refreshTokens = true;
    const { refresh_token: token } = await tokens();
    const [old] = harness.keySet.encryptionKeys;
    expect(await sealedBy()).toBe(old!.id);

    // The next in line signs, so that it can be seen from outside when an instance has the new set.
    const config = { algorithm: 'RS256', minimumPublication: 7200, retirement: 86_400 } as const;
    later(30 * 24 * 3600 - 600);
    const rotated = await nextKeySet(harness.keySet, config, now() + 600);
    await turnOver(rotated);
    const [added] = rotated.encryptionKeys;
    const { body } = await harness.refresh(client, token);
    expect(await sealedBy()).toBe(old!.id);

    later(3 * 3600);
    const { body: second, status } = await harness.refresh(client, body.refresh_token);
    expect([status, await sealedBy()]).toEqual([200, added!.id]);

    // Nothing needs the old key any more.
    await turnOver({ ...(await nextKeySet(rotated, config, now())), encryptionKeys: [added!] });
    later(2 * 3600);
    harness.upstream.tokenError = { status: 400, error: 'invalid_grant' };
    expect((await harness.refresh(client, second.refresh_token)).body.error).toBe('invalid_grant');
  });
});

describe('a change of the successor keys', () => {
  const added = (): SymmetricKey => ({
    id: 'new',
    key: Buffer.alloc(32, 7).toString('base64url'),
    activeFrom: now() + 1,
  });

  async function changeSuccessorKeys() {
    // With a new `next`, so that the change can be seen from outside.
    const keySet = {
      ...harness.keySet,
      next: (await nextKeySet(harness.keySet, { algorithm: 'RS256', minimumPublication: 0, retirement: 0 }, now()))
        .next,
    };
    const key = added();
    await turnOver({ ...keySet, successorKeys: [key, ...keySet.successorKeys] });
    return key;
  }

  it('leaves each refresh token the successor that it had', async () => {
    const { refresh_token: token } = await tokens();
    const first = await harness.refresh(client, token);
    await changeSuccessorKeys();
    const again = await harness.refresh(client, token);
    expect([again.status, again.body.refresh_token]).toEqual([200, first.body.refresh_token]);
  });

  it('does not hide that a token from before it is reused', async () => {
    const { refresh_token: token } = await tokens();
    const { body } = await harness.refresh(client, token);
    const { body: newest } = await harness.refresh(client, body.refresh_token);
    await changeSuccessorKeys();
    later(601);
    expect((await harness.refresh(client, token)).status).toBe(400);
    expect((await harness.refresh(client, newest.refresh_token)).status).toBe(400);
  });

  it('leaves a successor to a token that is older than every key', () => {
    expect(successorsFrom([added()]).of('grant.secret', 0)).toMatch(/^grant\.[\w-]{43}$/);
  });

  it('holds for tokens that are issued after it', async () => {
    const key = await changeSuccessorKeys();
    const { refresh_token: token } = await tokens();
    const { body } = await harness.refresh(client, token);
    expect(body.refresh_token).toBe(successorsFrom([key]).of(token!, now()));
  });
});
