import { setTimeout } from 'node:timers/promises';
import { Duration } from 'aws-cdk-lib';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RegisteredClient } from '../e2e/browser/registered-client';
import { deniedCalls } from '../e2e/clean-logs';
import { type LocalStack, Person, startLocalStack } from '../e2e/local-stack';

const ROTATIONS = 20;
/** Seconds. What follows from the first: lib/key-set.ts. */
const REFRESH = 1;
const MINIMUM_PUBLICATION = 4 * REFRESH;
/** So short that in this time many tokens die, and the keys that signed them go. */
const ACCESS_TOKEN = 10;
/** Seconds. A token that is used up to its last moment dies on the way. */
const ON_THE_WAY = 2;

const REDIRECT_URI = 'http://127.0.0.1/callback';

let local: LocalStack;
beforeAll(async () => {
  local = await startLocalStack(
    {},
    {
      keySetRefresh: Duration.seconds(REFRESH),
      lifetimes: { accessToken: Duration.seconds(ACCESS_TOKEN) },
      throttle: { rateLimit: 10_000, burstLimit: 5_000 },
      // More than everybody here can have under way, authorizers that fetch the key set included.
      functionOptions: { reservedConcurrentExecutions: 40 },
    },
  );
});
afterAll(() => local?.[Symbol.asyncDispose]());

interface Issued {
  readonly token: string;
  readonly kid: string;
  /** Epoch milliseconds. */
  readonly expires: number;
}

const issued: Issued[] = [];
/** Everything that went otherwise than it should. */
const failures: string[] = [];
const done: Record<string, number> = {};
const keySets: JSONWebKeySet[] = [];
let over = false;

function keep(accessToken: string): void {
  const { exp = 0 } = decodeJwt(accessToken);
  issued.push({
    token: accessToken,
    kid: decodeProtectedHeader(accessToken).kid ?? '',
    expires: exp * 1000,
  });
}

const alive = (margin: number) => issued.filter(({ expires }) => expires > Date.now() + margin * 1000);
const anyOf = <T>(items: readonly T[]): T | undefined => items[Math.floor(Math.random() * items.length)];

/** Does it again and again, as fast as it goes, until the last rotation is over or something has failed. */
async function keepDoing(what: string, act: () => Promise<string | undefined>): Promise<void> {
  while (!over) {
    const problem = await act().catch((error) => String(error.stack));
    if (problem === undefined) done[what] = (done[what] ?? 0) + 1;
    else {
      failures.push(`${what}: ${problem}`);
      over = true;
    }
  }
}

async function post(url: string, params: Record<string, string>): Promise<Record<string, string>> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(params) });
  return { ...((await response.json()) as Record<string, string>), status: String(response.status) };
}

type Account = LocalStack['identityProvider']['users'][number];

async function signIn(client: RegisteredClient, account: Account): Promise<Record<string, string>> {
  const person = new Person(local, account);
  const answer = await person.authorize(new URL(client.authorizationUrl()), REDIRECT_URI);
  return (await client.redeem(new URL(`?${answer}`, REDIRECT_URI))) as unknown as Record<string, string>;
}

async function callTool(token: string): Promise<number> {
  const response = await fetch(local.mcpUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** Every key set that is served has every key of a token that was alive when it was asked for, and nothing private. */
async function look(): Promise<string | undefined> {
  const tokens = alive(0);
  const keySet = (await (await fetch(new URL('/jwks', local.issuer))).json()) as JSONWebKeySet;
  keySets.push(keySet);
  if (keySet.keys.some(({ d, p, q }) => d ?? p ?? q)) return 'a private key is published';
  const verify = createLocalJWKSet(keySet);
  const missing = new Map(tokens.map((token) => [token.kid, token]));
  for (const { token, kid, expires } of missing.values()) {
    try {
      await jwtVerify(token, verify, { issuer: local.issuer, typ: 'at+jwt', currentDate: new Date(expires - 1000) });
    } catch (error) {
      return `a token of ${kid}, alive until ${expires}, does not verify: ${error}`;
    }
  }
  return undefined;
}

/** The keys that have signed a token of somebody here, in the order in which they did. */
const signers = () => [...new Set(issued.map(({ kid }) => kid))];

const rotate = () => local.stack.secrets.rotate(local.stack.outputs.KeySetSecretArn!);

/**
 * Rotates as soon as everybody may be taken to know the next key, until the last of the keys has signed. That a key set is
 * served with a key in the first place does not mean that a token signed by it has come already.
 */
async function rotateAgainAndAgain(): Promise<void> {
  /** Each key that was seen in a key set, and since when. */
  const published = new Map<string, number>();
  let seen = 0;
  /** How many keys had been promoted, as far as was seen, when the last rotation began. */
  let before = -1;
  /** How many keys the rotations may have promoted so far. */
  let most = 0;
  while (!over && signers().length <= ROTATIONS) {
    for (; seen < keySets.length; seen++) {
      // An instance that has not noticed yet serves an older one, which is no news.
      for (const { kid } of keySets[seen]!.keys) if (!published.has(kid!)) published.set(kid!, Date.now());
    }
    // Two are published to begin with, and one more whenever one is promoted.
    const promoted = published.size - 2;
    if (promoted > most) throw new Error(`${promoted} keys have been promoted where ${most} may have been.`);
    const since = [...published.values()].at(-1) ?? Infinity;
    if (promoted > before && Date.now() >= since + 1000 * MINIMUM_PUBLICATION) {
      before = promoted;
      const begun = Date.now();
      await rotate();
      most++;
      // The second one is too early, and must promote nothing, unless the machine is so slow that it is not.
      if (Date.now() < begun + 1000 * (MINIMUM_PUBLICATION - 2)) {
        await rotate();
        // Keys are dated by the second.
        if (Date.now() >= begun + 1000 * (MINIMUM_PUBLICATION - 1)) most++;
      }
      console.info(`Rotation ${most}`, new Date().toISOString(), done);
    }
    await setTimeout(50);
  }
}

it(`${ROTATIONS} rotations go by while people sign in and clients refresh and call, and nobody notices`, async () => {
  const clients = await Promise.all([1, 2].map((i) => RegisteredClient.at(local.issuer, REDIRECT_URI, `Editor ${i}`)));
  const people = local.identityProvider.users;
  const grants = await Promise.all(
    clients.flatMap((client, i) => [signIn(client, people[i]!)].map(async (tokens) => ({ client, ...(await tokens) }))),
  );

  const work = [
    ...clients.map((client, i) =>
      keepDoing('sign-in', async () => {
        const { access_token: token, error } = await signIn(client, people[i]!);
        if (!token) return String(error);
        keep(token);
        return undefined;
      }),
    ),
    ...grants.map((grant) => {
      let { refresh_token } = grant as unknown as Record<string, string>;
      return keepDoing('refresh', async () => {
        const answer = await post(`${local.issuer}/token`, {
          grant_type: 'refresh_token',
          client_id: grant.client.clientId,
          refresh_token: refresh_token!,
        });
        if (answer.status !== '200') return JSON.stringify(answer);
        keep(answer.access_token!);
        refresh_token = answer.refresh_token;
        return undefined;
      });
    }),
    ...[1, 2, 3].map(() =>
      keepDoing('call', async () => {
        const live = anyOf(alive(ON_THE_WAY));
        if (!live) return void (await setTimeout(10));
        const status = await callTool(live.token);
        const died = status === 401 && Date.now() >= live.expires;
        return status === 200 || died ? undefined : `${status} for a token of ${live.kid} alive until ${live.expires}`;
      }),
    ),
    keepDoing('call with a dead token', async () => {
      const dead = anyOf(issued.filter(({ expires }) => expires < Date.now() - 1000));
      if (!dead) return void (await setTimeout(10));
      const status = await callTool(dead.token);
      return status === 401 ? undefined : `${status} for a token dead since ${dead.expires}`;
    }),
    keepDoing('call with a forged token', async () => {
      const live = anyOf(alive(ON_THE_WAY));
      if (!live) return void (await setTimeout(10));
      const [header, , signature] = live.token.split('.');
      const claims = Buffer.from(JSON.stringify({ ...decodeJwt(live.token), sub: 'somebody else' }));
      const status = await callTool(`${header}.${claims.toString('base64url')}.${signature}`);
      return status === 401 ? undefined : `${status} for a forged token`;
    }),
    keepDoing('look at the key set', look),
  ];
  try {
    await rotateAgainAndAgain();
  } finally {
    over = true;
    await Promise.all(work);
  }

  console.info(done);
  const outages = local.logs.filter((line) => /[._](unavailable|unusable|failed)"/.test(line));
  expect([...failures, ...outages]).toEqual([]);
  for (const what of ['sign-in', 'refresh', 'call', 'call with a dead token', 'call with a forged token']) {
    expect(done[what], what).toBeGreaterThan(ROTATIONS);
  }
  // Each key has signed, has been published before and after, and is gone.
  const kids = signers();
  expect(kids.length).toBeGreaterThan(ROTATIONS);
  const last = keySets.at(-1)!.keys.map(({ kid }) => kid);
  expect(last).not.toContain(kids[0]);
  expect(last.length).toBeLessThan(8);
  expect(local.logs.filter((line) => /"d":|PRIVATE KEY/.test(line))).toEqual([]);
  expect(deniedCalls(local)).toEqual([]);
});
