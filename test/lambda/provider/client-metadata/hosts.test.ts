import { expect, it, vi } from 'vitest';
import { GuardedFetch } from '../../../../lambda/provider/client-metadata/guarded-fetch';
import { harness, host } from './published-clients';

it.each([
  ['denied', { internalHosts: ['localhost'], deniedHosts: ['localhost'] }, 'its host is not one that is allowed here'],
  ['internal no more', { internalHosts: [], deniedHosts: [] }, 'it names a port'],
])('a client that has signed in gets no further once its host is %s', async (_, clientMetadata, reason) => {
  const client = { client_id: host.publish('/client') };
  const { body } = await harness.redeem(client, await harness.signIn(client));
  const before = host.requests.length;

  harness.redeploy({ clientMetadata });
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const page = await harness.browser().open(harness.authorizationRequest(client).url);
  expect([page.status, page.text]).toEqual([400, expect.stringContaining('description cannot be used')]);
  expect(page.text).toContain(reason);
  const refreshed = await harness.refresh(client, body.refresh_token);
  expect(refreshed).toMatchObject({
    status: 400,
    body: { error: 'invalid_client', error_description: expect.stringContaining(reason) },
  });
  expect(log.mock.calls.map(([line]) => JSON.parse(String(line)))).toContainEqual(
    expect.objectContaining({
      event: 'client_metadata.refused',
      clientId: client.client_id,
      reason: expect.stringContaining(reason),
    }),
  );
  expect(host.requests).toHaveLength(before);

  harness.redeploy({});
  expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
});

it('a client whose host is not allowed is not asked for its document', async () => {
  harness.redeploy({ clientMetadata: { internalHosts: [], allowedHosts: ['claude.ai'], deniedHosts: [] } });
  const client = { client_id: 'https://chatgpt.com/oauth/client.json' };
  const fetch = vi.spyOn(GuardedFetch.prototype, 'get');
  const page = await harness.browser().open(harness.authorizationRequest(client).url);
  expect([page.status, page.text]).toEqual([400, expect.stringContaining('not one that is allowed here')]);
  expect(fetch).not.toHaveBeenCalled();
});
