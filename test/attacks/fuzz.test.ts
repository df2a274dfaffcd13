import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HttpRequest } from '../../lambda/provider/http';
import { Harness } from '../lambda/provider/harness';
import { type Recorded, recordRequests } from './recorded-requests';

/** The same requests each time; another number, other requests. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_123);
const RUNS = 1_450;

let harness: Harness;
let valid: Recorded['valid'];
let secrets: Recorded['secrets'];
let logged: string[];

beforeAll(async () => {
  harness = await Harness.start({ upstream: { allow: [{ claim: 'team', values: ['notes'] }] } });
  harness.upstream.claims = { sub: 'ada', team: 'notes' };
  ({ valid, secrets } = await recordRequests(harness));
  logged = [];
  for (const method of ['log', 'error', 'warn', 'info'] as const) {
    vi.spyOn(console, method).mockImplementation((...line) => {
      logged.push(line.join(' '));
    });
  }
});
afterAll(async () => {
  vi.restoreAllMocks();
  await harness[Symbol.asyncDispose]();
});
afterEach(() => {
  logged = [];
});

const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 200 }),
  fc.constantFrom(
    '',
    ' ',
    '%',
    '%00',
    '\u0000',
    '..',
    '[]',
    '{}',
    'null',
    '-1',
    '1e999',
    'https://',
    '\ud800',
    '"><script>',
    '/'.repeat(5000),
    'a'.repeat(20_000),
  ),
);
/** API Gateway lets nothing else through in a header. */
const headerValue = odd.map((value) => value.replace(/[^\x20-\x7e]/g, '?').slice(0, 8_000));
const headerName = fc.constantFrom(
  'accept',
  'authorization',
  'content-type',
  'cookie',
  'dpop',
  'host',
  'origin',
  'sec-fetch-site',
  'x-forwarded-host',
  'accept-language',
);

type Mutation = (request: HttpRequest) => HttpRequest;
const inForm =
  (change: (params: URLSearchParams) => void): Mutation =>
  (request) => {
    const isBody = request.body.length > 0;
    const params = new URLSearchParams(isBody ? request.body.toString() : request.query);
    change(params);
    return isBody ? { ...request, body: Buffer.from(params.toString()) } : { ...request, query: params.toString() };
  };
const nth = (params: URLSearchParams, n: number) => [...params.keys()][n % Math.max(1, params.size)] ?? 'client_id';

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), odd).map(([n, value]) => inForm((params) => params.set(nth(params, n), value))),
  fc.tuple(fc.nat(), odd).map(([n, value]) => inForm((params) => params.append(nth(params, n), value))),
  fc.nat().map((n) => inForm((params) => params.delete(nth(params, n)))),
  fc.tuple(odd, odd).map(([name, value]) => inForm((params) => params.append(name, value))),
  fc.tuple(headerName, headerValue).map(
    ([name, value]): Mutation =>
      (request) => ({ ...request, headers: { ...request.headers, [name]: value } }),
  ),
  headerName.map(
    (name): Mutation =>
      (request) => ({
        ...request,
        headers: Object.fromEntries(Object.entries(request.headers).filter(([each]) => each !== name)),
      }),
  ),
  fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS').map(
    (method): Mutation =>
      (request) => ({ ...request, method }),
  ),
  fc.tuple(fc.nat(), fc.nat(255)).map(
    ([at, byte]): Mutation =>
      (request) => {
        const body = Buffer.from(request.body.length > 0 ? request.body : request.query);
        if (body.length > 0) body[at % body.length] = byte;
        return request.body.length > 0 ? { ...request, body } : { ...request, query: body.toString('latin1') };
      },
  ),
  fc.nat().map(
    (at): Mutation =>
      (request) => ({ ...request, body: request.body.subarray(0, at % (request.body.length + 1)) }),
  ),
  fc.json({ maxDepth: 5 }).map(
    (text): Mutation =>
      (request) =>
        request.headers['content-type']?.includes('json') ? { ...request, body: Buffer.from(text) } : request,
  ),
  fc.tuple(fc.string({ maxLength: 20 }), fc.jsonValue()).map(
    ([name, value]): Mutation =>
      (request) => {
        if (!request.headers['content-type']?.includes('json')) return request;
        return {
          ...request,
          body: Buffer.from(JSON.stringify({ ...JSON.parse(request.body.toString()), [name]: value })),
        };
      },
  ),
  fc
    .tuple(
      fc.constantFrom('redirect_uris', 'client_name', 'grant_types', 'token_endpoint_auth_method', 'client_uri'),
      fc.jsonValue(),
    )
    .map(
      ([name, value]): Mutation =>
        (request) => {
          if (!request.headers['content-type']?.includes('json')) return request;
          return {
            ...request,
            body: Buffer.from(JSON.stringify({ ...JSON.parse(request.body.toString()), [name]: value })),
          };
        },
    ),
);

/** Nothing of it is right but the path. */
const noise = fc
  .record({
    query: odd,
    body: odd,
    method: fc.constantFrom('GET', 'POST', 'OPTIONS', 'HEAD'),
    name: headerName,
    value: headerValue,
  })
  .map(
    ({ query, body, method, name, value }): Mutation =>
      (request) => ({
        ...request,
        method,
        query: encodeURI(query.replace(/[\ud800-\udfff]/g, '?')),
        body: Buffer.from(body),
        headers: { [name]: value },
      }),
  );

const KINDS = [
  'GET root',
  'GET OAuth metadata',
  'GET OpenID metadata',
  'GET key set',
  'OPTIONS token',
  'POST register',
  'GET authorize',
  'GET interaction',
  'POST interaction',
  'GET callback',
  'GET resume',
  'POST token, code',
  'POST token, refresh',
  'POST revoke',
];

describe.each(KINDS)('%s, sent in every odd way,', { timeout: 180_000 }, (kind) => {
  it('is never answered with a 5xx, always at last, and tells the log no secret', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ arbitrary: mutation, weight: 3 }, { arbitrary: noise, weight: 1 }),
        async (mutate) => {
          const { status } = await harness.request(mutate(valid[kind]!));
          expect(status).toBeGreaterThanOrEqual(200);
          expect(status).toBeLessThan(500);
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
    const log = logged.join('\n');
    for (const secret of secrets) expect(log).not.toContain(secret);
  });
});

it('is about real requests: each, sent as it is, gets what it asks for', async () => {
  const fresh = await recordRequests(harness);
  for (const kind of KINDS) {
    const { status } = await harness.request(fresh.valid[kind]!);
    expect([kind, status < 400]).toEqual([kind, true]);
  }
});
