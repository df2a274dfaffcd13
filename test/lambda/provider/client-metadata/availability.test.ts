import { describe, expect, it, vi } from 'vitest';
import { GuardedFetch, TooManyFetches } from '../../../../lambda/provider/client-metadata/guarded-fetch';
import { DynamoStore } from '../../../../lambda/store/dynamo-store';
import type { Answer, Trouble } from '../../../support/metadata-host';
import { Harness, later } from '../harness';
import { authorize, events, fetches, harness, host, publish, signedIn, watchLog } from './published-clients';

const DAY = 86_400;

const TROUBLES: [string, Answer | Trouble][] = [
  ['answers 500', { status: 500 }],
  ['answers 429', { status: 429 }],
  ['answers 403', { status: 403 }],
  ['breaks off', 'reset'],
];

describe('while the document’s host is down', () => {
  it.each(TROUBLES)('the copy serves on: the host %s', async (_, trouble) => {
    watchLog();
    const { client, refreshToken } = await signedIn();
    host.disturb(trouble);
    later(30 * DAY - 60);
    expect((await authorize(client)).status).toBe(200);
    expect((await harness.refresh(client, refreshToken)).status).toBe(200);
    expect(events()).toContainEqual(
      expect.objectContaining({ event: 'client_metadata.unavailable', clientId: client.client_id }),
    );
  });

  it.each(TROUBLES)('nobody is told that an unknown client is none: the host %s', async (_, trouble) => {
    const client = publish();
    host.disturb(trouble);
    for (const path of ['/token', '/revoke']) {
      const params = { ...client, grant_type: 'refresh_token', refresh_token: 'a.b', token: 'a.b' };
      const response = await harness.post(path, params);
      expect([path, response.status, response.headers.get('retry-after')]).toEqual([path, 503, '5']);
      expect(await response.json()).toEqual({ error: 'temporarily_unavailable' });
    }
    const page = await authorize(client);
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5']);
    expect(page.text).toContain('description cannot be read');
  });

  it('each instance asks it once in half a minute', async () => {
    await using one = await Harness.start({ internalHosts: ['localhost'], instances: 1 });
    const client = publish();
    host.disturb({ status: 500 });
    const open = () => one.browser().open(one.authorizationRequest(client).url);
    for (let i = 0; i < 5; i++) expect((await open()).status).toBe(503);
    expect(fetches(client)).toBe(1);
    host.mend();
    expect((await open()).status).toBe(503);
    later(31);
    expect((await open()).status).toBe(200);
    expect(fetches(client)).toBe(2);
  });
});

it('a document that was not asked for because of too many others is asked for at the next request', async () => {
  await using one = await Harness.start({ internalHosts: ['localhost'], instances: 1 });
  const client = publish();
  const open = () => one.browser().open(one.authorizationRequest(client).url);
  const get = vi.spyOn(GuardedFetch.prototype, 'get').mockRejectedValue(new TooManyFetches('too many'));
  expect((await open()).status).toBe(503);
  get.mockRestore();
  expect((await open()).status).toBe(200);
});

describe('of a document that is wrong', () => {
  it('five authorization requests make one fetch', async () => {
    await using one = await Harness.start({ internalHosts: ['localhost'], instances: 1 });
    const client = publish({ client_name: '' });
    for (let i = 0; i < 5; i++) {
      expect((await one.browser().open(one.authorizationRequest(client).url)).status).toBe(400);
    }
    expect(fetches(client)).toBe(1);
    host.publish(new URL(client.client_id).pathname);
    later(31);
    expect((await one.browser().open(one.authorizationRequest(client).url)).status).toBe(200);
  });
});

describe('requests at the same time', () => {
  it('make one fetch in one instance', async () => {
    await using one = await Harness.start({ internalHosts: ['localhost'], instances: 1 });
    const client = publish();
    const pages = await Promise.all(
      Array.from({ length: 5 }, () => one.browser().open(one.authorizationRequest(client).url)),
    );
    expect(pages.map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(fetches(client)).toBe(1);
  });
});

describe('a document that is withdrawn', () => {
  const answers: [string, Answer][] = [
    ['not there any more', { status: 404 }],
    ['gone', { status: 410 }],
    ['a page', { headers: { 'content-type': 'text/html' }, body: '<h1>Under construction</h1>' }],
    ['without a name', { body: { client_name: '' } }],
  ];

  it.each(answers)('lets nobody sign in any more, at once: it is %s', async (_, answer) => {
    const { client } = await signedIn();
    host.serve(new URL(client.client_id).pathname, answer);
    expect((await authorize(client)).status).toBe(200);
    later(301);
    expect((await authorize(client)).status).toBe(400);
  });

  it.each(answers)('ends its tokens when it has been so for a day: it is %s', async (_, answer) => {
    const { client, refreshToken } = await signedIn();
    host.serve(new URL(client.client_id).pathname, answer);
    later(DAY - 60);
    const mistake = await harness.refresh(client, refreshToken);
    expect(mistake.status).toBe(200);
    later(120);
    const { body } = await harness.refresh(client, mistake.body.refresh_token);
    expect(body.error).toBe('invalid_client');
  });

  it('does not come back with an outage', async () => {
    const { client, refreshToken } = await signedIn();
    host.withdraw(new URL(client.client_id).pathname);
    later(DAY + 60);
    expect((await harness.refresh(client, refreshToken)).body.error).toBe('invalid_client');
    host.disturb('reset');
    later(31);
    expect((await harness.refresh(client, refreshToken)).status).toBe(503);
    expect((await authorize(client)).status).toBe(503);
  });

  it('does come back when it is published again', async () => {
    const { client, refreshToken } = await signedIn();
    const { pathname } = new URL(client.client_id);
    host.withdraw(pathname);
    later(DAY + 60);
    expect((await harness.refresh(client, refreshToken)).body.error).toBe('invalid_client');
    host.publish(pathname);
    later(31);
    expect((await harness.refresh(client, refreshToken)).status).toBe(200);
  });

  it('in the middle of a sign-in is a page, and no code is issued', async () => {
    const client = publish();
    const browser = harness.browser();
    const consent = await browser.open(harness.authorizationRequest(client).url);
    host.withdraw(new URL(client.client_id).pathname);
    later(301);
    const page = await browser.submit(consent, 'allow');
    expect(page.status).toBe(400);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.text).toContain('description cannot be used');
  });
});

describe('an outage of the store', () => {
  it('while a document is fetched is nothing that the document’s host has said', async () => {
    await using one = await Harness.start({ internalHosts: ['localhost'], instances: 1 });
    const client = publish();
    const throttled = Object.assign(new Error('throttled'), { $fault: 'server' });
    const broken = vi.spyOn(DynamoStore.prototype, 'set').mockRejectedValue(throttled);
    const open = () => one.browser().open(one.authorizationRequest(client).url);
    const page = await open();
    expect([page.status, page.text]).toEqual([503, expect.stringContaining('This server is having a problem')]);
    broken.mockRestore();
    expect((await open()).status).toBe(200);
  });
});
