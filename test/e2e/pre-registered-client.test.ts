import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalStack, Person, startLocalStack } from './local-stack';

const REDIRECT_URI = 'http://127.0.0.1/callback';

let local: LocalStack;
beforeAll(async () => {
  local = await startLocalStack(
    {},
    { clients: [{ clientId: 'our-editor', name: 'Our editor', redirectUris: [REDIRECT_URI] }] },
  );
});
afterAll(() => local?.[Symbol.asyncDispose]());

it('a client that the app declares is there once it is deployed, and gets tokens without registering', async () => {
  const codeVerifier = randomBytes(32).toString('base64url');
  const url = new URL('/authorize', local.issuer);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: 'our-editor',
    redirect_uri: REDIRECT_URI,
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const person = new Person(local, local.identityProvider.users[0]!);
  const answer = await person.authorize(url, REDIRECT_URI);
  expect(person.consentPage).toContain('This app was registered by the people who run this server.');

  const response = await fetch(new URL('/token', local.issuer), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'our-editor',
      redirect_uri: REDIRECT_URI,
      code: answer.get('code') ?? '',
      code_verifier: codeVerifier,
    }),
  });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ access_token: expect.any(String), refresh_token: expect.any(String) });
});
