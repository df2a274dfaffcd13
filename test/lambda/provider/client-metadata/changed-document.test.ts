import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { personPartition } from '../../../../lambda/provider/keys';
import { type MetadataHost, startMetadataHost, trust } from '../../../support/metadata-host';
import { atClient, Harness, later, REDIRECT_URI } from '../harness';

const ELSEWHERE = 'https://elsewhere.example.com/callback';
/** Longer than a document stays fresh that says nothing about it. */
const A_WHILE = 301;

let host: MetadataHost;
let harness: Harness;
beforeAll(async () => {
  host = await startMetadataHost();
  trust(host);
});
afterAll(() => host.close());
beforeEach(async () => {
  harness = await Harness.start({ internalHosts: ['localhost'], lifetimes: { authorizationCode: 600 } });
});
afterEach(async () => {
  vi.useRealTimers();
  await harness[Symbol.asyncDispose]();
});

/** The document becomes another, and every copy is looked at again. */
function change(metadata: Record<string, unknown>): void {
  host.publish('/client', metadata);
  later(A_WHILE);
}

describe('a document that changes while a person signs in', () => {
  it('cannot send the code elsewhere: the redirect URI is the one that was consented to', async () => {
    const client = { client_id: host.publish('/client') };
    const { url, codeVerifier } = harness.authorizationRequest(client);
    const browser = harness.browser();
    const consent = await browser.open(url);
    change({ redirect_uris: [ELSEWHERE, REDIRECT_URI] });
    const { url: answer } = await browser.submit(
      consent,
      'allow',
      {},
      (at) => at.origin === new URL(ELSEWHERE).origin || atClient(at),
    );
    expect(`${answer.origin}${answer.pathname}`).toBe(REDIRECT_URI);
    const code = answer.searchParams.get('code') ?? '';
    const elsewhere = await harness.redeem(client, { code, codeVerifier }, { redirect_uri: ELSEWHERE });
    expect([elsewhere.status, elsewhere.body.error]).toEqual([400, 'invalid_grant']);
    expect((await harness.redeem(client, { code, codeVerifier })).status).toBe(200);
  });

  it.each(['allow', 'deny'])('and has that redirect URI no more gets no answer there: %s', async (decision) => {
    const client = { client_id: host.publish('/client') };
    const browser = harness.browser();
    const consent = await browser.open(harness.authorizationRequest(client).url);
    change({ redirect_uris: [ELSEWHERE] });
    const page = await browser.submit(consent, decision, {}, atClient);
    expect(page.status).toBe(400);
    expect(page.text).toContain('registers its address');
    expect(browser.visited.map(({ origin }) => origin)).not.toContain(harness.upstream.issuer);
    expect(await grants()).toEqual([]);
  });

  it('after the code was issued leaves the code as it was', async () => {
    const client = { client_id: host.publish('/client') };
    const signIn = await harness.signIn(client);
    change({ redirect_uris: [ELSEWHERE], client_name: 'Another app' });
    expect((await harness.redeem(client, signIn, { redirect_uri: ELSEWHERE })).body.error).toBe('invalid_grant');
    expect((await harness.redeem(client, signIn)).status).toBe(200);
  });

  it('is remembered for the person by the name that was consented to', async () => {
    const client = { client_id: host.publish('/client', { client_name: 'Example app' }) };
    const browser = harness.browser();
    const { url, codeVerifier } = harness.authorizationRequest(client);
    const consent = await browser.open(url);
    expect(consent.text).toContain('Example app');
    // Upstream takes its time: the person comes back when the document is another.
    const upstream = await browser.submit(consent, 'allow', {}, ({ origin }) => origin === harness.upstream.issuer);
    change({ client_name: 'Your bank' });
    const { url: answer } = await browser.open(upstream.url, atClient);
    const { body } = await harness.redeem(client, { code: answer.searchParams.get('code') ?? '', codeVerifier });
    const [record] = await harness.store.list(personPartition(decodeJwt(body.access_token!).sub!));
    expect(record?.value).toMatchObject({ clientId: client.client_id, clientName: 'Example app' });
  });
});

const grants = async () => (await harness.items()).filter(({ pk }) => pk?.S?.startsWith('grant#'));
