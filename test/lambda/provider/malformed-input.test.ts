import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, ISSUER, REDIRECT_URI } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_BODY = { 'content-type': 'application/json' };

describe('malformed input', () => {
  const bodies = [
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '0',
    'a=b',
    '%',
    '%ff=%fe',
    `a=${'b'.repeat(70_000)}`,
    `grant_type=authorization_code&resource=https://a.example/${'/'.repeat(1_000_000)}x`,
    '\u0000',
    'grant_type=refresh_token&refresh_token=.',
    'grant_type=authorization_code&code=..&client_id=x&client_id=y',
    '{"redirect_uris":"x"}',
    '{"redirect_uris":[1,null,{}]}',
    '{"redirect_uris":["https://a.example/"],"client_name":{}}',
    '{"redirect_uris":["https://a.example/"],"grant_types":"x","response_types":7}',
  ];
  const types = [
    {},
    FORM,
    JSON_BODY,
    { 'content-type': 'text/plain' },
    { 'content-type': '///' },
    { ...FORM, accept: 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2' },
    { ...FORM, authorization: 'Basic %' },
    { ...FORM, authorization: 'Basic Og==' },
    { ...FORM, authorization: `Basic ${Buffer.from('%:%').toString('base64')}` },
    { ...FORM, authorization: 'Bearer x' },
  ];

  it.each(['/token', '/revoke', '/register'])('at %s gets the protocol’s own error', async (path) => {
    for (const body of bodies) {
      for (const headers of types) {
        const response = await harness.fetch(path, {
          method: 'POST',
          headers: headers as Record<string, string>,
          body,
        });
        expect(response.status, `${JSON.stringify(headers)} ${body.slice(0, 50)}`).toBeGreaterThanOrEqual(400);
        expect(response.status).toBeLessThan(500);
        expect(await response.json()).toHaveProperty('error');
      }
    }
  });

  it.each(['/authorize', '/authorize/x', '/authorize/%', '/interaction/x', '/interaction/%00', '/callback'])(
    'at %s gets a page',
    async (path) => {
      for (const query of [
        '',
        '?',
        '?%',
        '?client_id',
        '?client_id=%ff',
        `?client_id=${client.client_id}`,
        '?state=',
        '?state=a.b&code=c',
        '?resource=a&resource=b&scope=%00',
        `?client_id=${client.client_id}&redirect_uri=${encodeURIComponent(REDIRECT_URI)}&redirect_uri=x`,
      ]) {
        for (const cookie of ['', '=', '__Host-mcp-x=y', `__Host-mcp-${'x'.repeat(500)}=%`, '__Secure-mcp-resume=x']) {
          const response = await harness.fetch(`${ISSUER}${path}${query}`, { headers: { cookie } });
          expect(response.status, `${query} ${cookie}`).toBeLessThan(500);
          const text = await response.text();
          expect(text).not.toMatch(/\bat .*:\d+:\d+/);
        }
      }
    },
  );
});
