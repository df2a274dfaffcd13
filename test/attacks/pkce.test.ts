import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, REDIRECT_URI } from '../lambda/provider/harness';

let harness: Harness;
const clients: Record<string, Record<string, string>> = {};
beforeAll(async () => {
  harness = await Harness.start();
  clients.public = await harness.register();
  clients.confidential = await harness.register({ token_endpoint_auth_method: 'client_secret_post' });
});
afterAll(() => harness[Symbol.asyncDispose]());

const secretOf = ({ client_secret }: Record<string, string>) => ({ client_secret });

describe.each(['public', 'confidential'])('an authorization request of a %s client', (kind) => {
  it.each<[string, Record<string, string | undefined>]>([
    ['without a challenge', { code_challenge: undefined, code_challenge_method: undefined }],
    ['with a method alone', { code_challenge: undefined }],
    ['with an empty challenge', { code_challenge: '' }],
    ['with a short challenge', { code_challenge: 'a'.repeat(42) }],
    ['with a challenge in other characters', { code_challenge: `${'a'.repeat(42)}=` }],
    ['with the plain method', { code_challenge_method: 'plain' }],
    ['without a method, which means plain', { code_challenge_method: undefined }],
    ['with an empty method', { code_challenge_method: '' }],
    ['with the method in another case', { code_challenge_method: 's256' }],
    ['with a method that nobody knows', { code_challenge_method: 'S512' }],
  ])('is refused %s', async (_, params) => {
    const { url } = harness.authorizationRequest(clients[kind]!, params);
    const answer = await harness.refusal(url);
    expect(answer.href.startsWith(REDIRECT_URI)).toBe(true);
    expect(answer.searchParams.get('error')).toBe('invalid_request');
  });

  it('is refused with two challenges', async () => {
    const { url } = harness.authorizationRequest(clients[kind]!);
    url.searchParams.append('code_challenge', 'b'.repeat(43));
    const { status, headers } = await harness.fetch(url);
    expect(headers.get('location') ?? '').not.toMatch(/^\/interaction/);
    expect(status).toBeLessThan(500);
  });
});

describe.each(['public', 'confidential'])('the code of a %s client', (kind) => {
  it.each<[string, (challenge: string) => string | undefined]>([
    ['without a verifier', () => undefined],
    ['with an empty verifier', () => ''],
    ['with another verifier', () => 'a'.repeat(43)],
    ['with a short verifier', () => 'a'],
    ['with the challenge as the verifier, as under the plain method', (challenge) => challenge],
  ])('is not redeemed %s, and is not burned', async (_, verifierOf) => {
    const client = clients[kind]!;
    const browser = harness.browser();
    const { url, codeVerifier } = harness.authorizationRequest(client);
    const page = await browser.open(url);
    const { url: answer } = await browser.submit(page, 'allow', {}, ({ href }) => href.startsWith(REDIRECT_URI));
    const code = answer.searchParams.get('code') ?? '';
    const code_verifier = verifierOf(url.searchParams.get('code_challenge') ?? '');
    const refused = await harness.redeem(client, { code, codeVerifier }, { ...secretOf(client), code_verifier });
    expect(refused.status).toBe(400);
    expect(refused.body.error).toMatch(/^invalid_(grant|request)$/);
    expect((await harness.redeem(client, { code, codeVerifier }, secretOf(client))).status).toBe(200);
  });
});
