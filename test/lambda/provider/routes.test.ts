import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../../lib/contract';
import { Harness, REDIRECT_URI } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());

const JSON_BODY = { 'content-type': 'application/json' };

describe('a path that is not spelled as a route is', () => {
  const paths = ROUTES.map(({ path }) => path.replace('{uid}', 'abc')).filter((path) => path !== '/');
  const otherwise = paths.flatMap((path) => [path.toUpperCase(), `${path}/`, `${path}?x`, `/${path}`, `${path}%2f`]);

  it.each(otherwise.filter((path) => !paths.includes(path)))('is none: %s', async (path) => {
    const before = await harness.items();
    const { search } = harness.authorizationRequest(client, { browser_binding: 'chosen' }).url;
    const metadata = JSON.stringify({ redirect_uris: [REDIRECT_URI], registered_by_operators: true });
    for (const method of ['GET', 'POST']) {
      for (const headers of [JSON_BODY, { 'content-type': 'application/x-www-form-urlencoded' }]) {
        const body = Buffer.from(method === 'POST' ? metadata : '');
        const { status } = await harness.request({ method, path, query: search.slice(1), headers, body });
        expect(status).toBe(404);
      }
    }
    expect(await harness.items()).toEqual(before);
  });
});

describe('a registration in other words than JSON in UTF-8', () => {
  const metadata = JSON.stringify({ redirect_uris: [REDIRECT_URI], registered_by_operators: true });

  it.each([
    ['UTF-16', Buffer.from(metadata, 'utf16le'), 'application/json; charset=utf-16le'],
    ['a byte order mark', Buffer.from(`\ufeff${metadata}`), 'application/json'],
    ['a list', Buffer.from(`[${metadata}]`), 'application/json'],
  ])('is refused: %s', async (_, body, type) => {
    const before = await harness.items();
    const headers = { 'content-type': type };
    const response = await harness.request({ method: 'POST', path: '/register', headers, body });
    expect([response.status, JSON.parse(response.body.toString())]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'the body must be a JSON object' },
    ]);
    expect(await harness.items()).toEqual(before);
  });
});
