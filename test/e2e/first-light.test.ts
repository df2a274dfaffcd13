import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser';
import { deniedCalls, secretsInLogs } from './clean-logs';
import { type LocalStack, Person, startLocalStack } from './local-stack';
import { McpApp } from './mcp-app';

let local: LocalStack;
beforeAll(async () => {
  local = await startLocalStack();
});
afterAll(() => local?.[Symbol.asyncDispose]());

const apps: McpApp[] = [];

function mcpApp(of: Person): McpApp {
  const app = new McpApp(local.mcpUrl, of);
  apps.push(app);
  return app;
}

const person = (index: number, browser?: Browser) => new Person(local, local.identityProvider.users[index]!, browser);

it('serves a foreign person in the same browser as that person', async () => {
  const browser = new Browser();
  const ada = mcpApp(person(0, browser));
  await ada.connect();
  browser.forget(new URL(local.identityProvider.issuer).host);
  const grace = mcpApp(person(1, browser));
  await grace.connect();
  const [first, second] = local.identityProvider.users;
  expect(await grace.call('whoami')).toContain(second!.username);
  expect(await ada.call('whoami')).toContain(first!.username);
  expect(decodeJwt(ada.current!.access_token).sub).not.toBe(decodeJwt(grace.current!.access_token).sub);
  await Promise.all([ada.close(), grace.close()]);
});

describe('in several instances of the functions', () => {
  const post = (path: string, params: Record<string, string>) =>
    fetch(`${local.issuer}${path}`, { method: 'POST', body: new URLSearchParams(params) });

  /** Twenty at once. Ten instances run here at most: who finds them all busy comes again when these have answered. */
  async function twenty(send: () => Promise<Response>): Promise<Response[]> {
    const answers: Response[] = [];
    while (answers.length < 20) {
      const wave = await Promise.all(Array.from({ length: 20 - answers.length }, send));
      answers.push(...wave.filter(({ status }) => status === 200 || status === 400));
    }
    return answers;
  }

  async function signIn() {
    const app = mcpApp(person(0));
    await app.connect();
    await app.close();
    return { clientId: app.clientInformation()!.client_id, refreshToken: app.current!.refresh_token! };
  }

  it('twenty parallel refreshes have one successor', async () => {
    const { clientId, refreshToken } = await signIn();
    const params = { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken };
    const answers = await twenty(() => post('/token', params));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { refresh_token: string }[];
    expect(new Set(bodies.map((body) => body.refresh_token)).size).toBe(1);
  });

  it('of twenty parallel redemptions of a code one wins', async () => {
    const { clientId } = await signIn();
    const redirectUri = 'http://localhost:45678/callback';
    const verifier = 'v'.repeat(43);
    const url = new URL('/authorize', local.issuer);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      code_challenge: await challengeOf(verifier),
      code_challenge_method: 'S256',
    }).toString();
    const code = (await person(0).authorize(url, redirectUri)).get('code') ?? '';
    const params = {
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
    };
    const answers = await twenty(() => post('/token', params));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('what was logged', () => {
  it('holds no code, token or secret', () => expect(secretsInLogs(local, apps)).toEqual([]));
  it('shows no call that a role does not allow', () => expect(deniedCalls(local)).toEqual([]));
});

async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return Buffer.from(digest).toString('base64url');
}
