import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  FetchRefused,
  FetchUnavailable,
  GuardedFetch,
  TooManyFetches,
} from '../../../../lambda/provider/client-metadata/guarded-fetch';
import type { Resolve } from '../../../../lambda/provider/client-metadata/resolve';
import { type Answer, type MetadataHost, startMetadataHost, trust } from '../../../support/metadata-host';

let host: MetadataHost;
let port: string;
beforeAll(async () => {
  host = await startMetadataHost();
  trust(host);
  port = new URL(host.origin).port;
});
beforeEach(() => host.mend());
afterAll(() => host.close());

/** Nobody's name is asked for outside: each answer is what the next resolution gets. */
function resolver(...answers: string[][]): { resolve: Resolve; asked: string[] } {
  const asked: string[] = [];
  const resolve: Resolve = async (hostname) => {
    asked.push(hostname);
    return (answers[asked.length - 1] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { resolve, asked };
}

/** What the host has been asked for during `act`. */
async function requestsDuring(act: () => Promise<unknown>): Promise<number> {
  const before = host.requests.length;
  await act();
  return host.requests.length - before;
}

const internal = () => new GuardedFetch(new Set(['localhost']));
const external = (resolve?: Resolve) => new GuardedFetch(new Set(), resolve);

describe('the guarded fetch', () => {
  it('gets JSON from an internal host, and says who it is', async () => {
    const response = await internal().get(
      host.serve('/ok', { body: { a: 1 }, headers: { 'cache-control': 'max-age=9' } }),
    );
    expect([response.status, await response.json()]).toEqual([200, { a: 1 }]);
    expect(response.headers.get('cache-control')).toBe('max-age=9');
    expect(host.requests.at(-1)?.headers).toMatchObject({ accept: 'application/json', 'user-agent': 'mcp-oidc-auth' });
    for (const name of ['cookie', 'authorization', 'referer'])
      expect(host.requests.at(-1)?.headers).not.toHaveProperty(name);
  });

  it.each(['application/json; charset=utf-8', 'application/cimd+json', 'Application/JSON'])(
    'takes %s',
    async (type) => {
      const url = host.serve('/typed', { body: {}, headers: { 'content-type': type } });
      expect((await internal().get(url)).status).toBe(200);
    },
  );

  it.each<[string, Answer | 'endless']>([
    ['a redirect', { status: 302, headers: { location: '/ok' }, body: {} }],
    ['a permanent redirect', { status: 308, headers: { location: 'https://client.example.com/' }, body: {} }],
    ['no document', { status: 404, body: {} }],
    ['a document that is gone', { status: 410, body: {} }],
    ['another success', { status: 206, body: {} }],
    ['a page', { headers: { 'content-type': 'text/html' }, body: {} }],
    ['a type that only begins alike', { headers: { 'content-type': 'application/jsonp' }, body: {} }],
    ['no type', { headers: { 'content-type': '' }, body: {} }],
    ['more than 5 KiB', { body: ' '.repeat(5 * 1024 + 1) }],
    ['more than 5 KiB, as announced', { headers: { 'content-length': '5121' }, body: ' '.repeat(5121) }],
    ['a body without an end', 'endless'],
  ])('refuses %s', async (_, answer) => {
    const requests = await requestsDuring(async () => {
      await expect(internal().get(host.serve('/refused', answer))).rejects.toThrow(FetchRefused);
    });
    expect(requests).toBe(1);
  });

  it('takes 5 KiB', async () => {
    const response = await internal().get(host.serve('/full', { body: ' '.repeat(5 * 1024) }));
    expect((await response.text()).length).toBe(5 * 1024);
  });

  it.each<[string, Answer | 'reset' | 'silence']>([
    ['an error of its host', { status: 500 }],
    ['a host that is busy', { status: 503 }],
    ['too many requests', { status: 429 }],
    ['a wall before its host', { status: 403 }],
    ['a broken connection', 'reset'],
    ['no answer in time', 'silence'],
  ])('finds unavailable: %s', async (_, answer) => {
    await expect(internal().get(host.serve('/unavailable', answer))).rejects.toThrow(FetchUnavailable);
  });

  it('finds unavailable: a certificate that nobody vouches for', async () => {
    await using stranger = await startMetadataHost();
    await expect(internal().get(stranger.publish('/client'))).rejects.toThrow(FetchUnavailable);
    expect(stranger.requests).toEqual([]);
  });

  it('finds unavailable: a name that nobody knows', async () => {
    const unknown: Resolve = async () => Promise.reject(Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' }));
    await expect(external(unknown).get('https://client.example.com/client')).rejects.toThrow(FetchUnavailable);
  });

  it('asks no more than 200 hosts of strangers at once, and its own at any time', async () => {
    const unresolved: ((error: Error) => void)[] = [];
    const resolve: Resolve = (hostname) =>
      hostname === 'documents.test'
        ? Promise.resolve([{ address: '127.0.0.1', family: 4 }])
        : new Promise((_, reject) => unresolved.push(reject));
    const guarded = new GuardedFetch(new Set(['documents.test']), resolve);
    const get = (number: number) => guarded.get(`https://client-${number}.example.com/client`);
    const underWay = Array.from({ length: 200 }, (_, number) => get(number).catch((error) => error));
    await expect(get(200)).rejects.toThrow(TooManyFetches);
    host.serve('/ok', { body: {} });
    expect((await guarded.get(`https://documents.test:${port}/ok`)).status).toBe(200);

    for (const fail of unresolved) fail(new Error('ENOTFOUND'));
    for (const error of await Promise.all(underWay)) expect(error).not.toBeInstanceOf(TooManyFetches);
    const next = get(201);
    await vi.waitUntil(() => unresolved.length === 201);
    unresolved.at(-1)?.(new Error('ENOTFOUND'));
    await expect(next).rejects.not.toThrow(TooManyFetches);
  });

  it('refuses what is not https', async () => {
    await expect(internal().get('http://localhost/client')).rejects.toThrow(FetchRefused);
  });
});

describe('towards addresses that are not public', () => {
  it.each(['127.0.0.1', '0x7f.1', '2130706433', '127.1', '0177.0.0.1', '[::ffff:127.0.0.1]', '0.0.0.0'])(
    'the guarded fetch sends nothing: %s',
    async (literal) => {
      const requests = await requestsDuring(async () => {
        await expect(external().get(`https://${literal}:${port}/ok`)).rejects.toThrow('not public');
      });
      expect(requests).toBe(0);
    },
  );

  it('the guarded fetch sends nothing: a name of this machine', async () => {
    const requests = await requestsDuring(async () => {
      await expect(external().get(host.serve('/ok', { body: {} }))).rejects.toThrow('not public');
    });
    expect(requests).toBe(0);
  });

  it.each([
    [['127.0.0.1']],
    [['169.254.169.254']],
    [['10.0.0.1']],
    [['64:ff9b::a9fe:a9fe']],
    [['fd00:ec2::254']],
    [['::ffff:127.0.0.1']],
    [['1.1.1.1', '127.0.0.1']],
    [['127.0.0.1', '2606:4700::1111']],
  ])('the guarded fetch sends nothing: a name with the addresses %j', async (addresses) => {
    const { resolve } = resolver(addresses);
    const requests = await requestsDuring(async () => {
      await expect(external(resolve).get(`https://documents.test:${port}/ok`)).rejects.toThrow('not public');
    });
    expect(requests).toBe(0);
  });

  it('the guarded fetch connects to the addresses that it has looked at, and asks for no others', async () => {
    host.serve('/ok', { body: {} });
    // Only the first answer leads to the host; a second look would find nothing.
    const { resolve, asked } = resolver(['127.0.0.1'], ['192.0.2.1']);
    const guarded = new GuardedFetch(new Set(['documents.test']), resolve);
    expect((await guarded.get(`https://documents.test:${port}/ok`)).status).toBe(200);
    expect(asked).toEqual(['documents.test']);
  });

  it('the guarded fetch looks again for each connection', async () => {
    const { resolve, asked } = resolver(['127.0.0.1'], ['127.0.0.1']);
    const guarded = new GuardedFetch(new Set(['documents.test']), resolve);
    for (const _ of [1, 2]) await guarded.get(`https://documents.test:${port}/ok`);
    expect(asked).toHaveLength(2);
  });
});
