import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port';
import { type Check, conformance, signedInConformance } from './conformance/runner';
import { APPLICABLE, CHECKS_THAT_DO_NOT_APPLY, notApplicable, REVISIONS } from './conformance/server-scenarios';
import { startTokenForwarder, type TokenForwarder } from './conformance/token-forwarder';
import { type LocalStack, Person, startLocalStack } from './local-stack';
import { McpApp } from './mcp-app';

let local: LocalStack;
let person: Person;
beforeAll(async () => {
  local = await startLocalStack();
  person = new Person(local, local.identityProvider.users[0]!);
});
afterAll(() => local?.[Symbol.asyncDispose]());

/** What has another verdict than success. INFO is none. */
function notPassed(checks: readonly Check[] = []): Check[] {
  return checks.filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO');
}

const hasPassed = (checks: readonly Check[] = []) =>
  notPassed(checks).length === 0 && checks.some(({ status }) => status === 'SUCCESS');

describe('the authorization server passes every check of the conformance suite', () => {
  it.each<[string, (mcpUrl: string) => Record<string, string>]>([
    ['without resource', () => ({})],
    ['with resource', (mcpUrl) => ({ resource: mcpUrl })],
    ['with resource and a slash at its end', (mcpUrl) => ({ resource: `${mcpUrl}/` })],
  ])('%s', async (_, resource) => {
    const port = await freePort();
    const redirectUri = `http://127.0.0.1:${port}/callback`;
    const options = {
      url: local.issuer,
      'client-id': await register(redirectUri),
      port: String(port),
      'spec-version': '2026-07-28',
      ...resource(local.mcpUrl),
    };
    const scenarios = await signedInConformance('authorization', options, async (url) => {
      await fetch(`${redirectUri}?${await person.authorize(url, redirectUri)}`);
    });
    expect([...scenarios.keys()].sort()).toEqual([
      'authorization-code-grant',
      'authorization-server-metadata-endpoint',
    ]);
    for (const checks of scenarios.values()) {
      expect(notPassed(checks)).toEqual([]);
      expect(hasPassed(checks)).toBe(true);
    }
  });

  async function register(redirectUri: string): Promise<string> {
    const response = await fetch(`${local.issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'Conformance',
        redirect_uris: [redirectUri],
        application_type: 'native',
        token_endpoint_auth_method: 'none',
      }),
    });
    return ((await response.json()) as { client_id: string }).client_id;
  }
});

describe('the MCP server behind the authorizer', () => {
  let forwarder: TokenForwarder;
  beforeAll(async () => {
    const app = new McpApp(local.mcpUrl, person);
    await app.connect();
    await app.close();
    forwarder = await startTokenForwarder(local.mcpUrl, app.current!.access_token);
  });
  afterAll(() => forwarder?.[Symbol.asyncDispose]());

  describe.each(REVISIONS)('in MCP %s', (revision) => {
    let scenarios: ReadonlyMap<string, Check[]>;
    const excused = notApplicable(revision);
    beforeAll(async () => {
      scenarios = await conformance('server', { url: forwarder.url, suite: 'all', 'spec-version': revision });
    });

    it.each(APPLICABLE[revision])('passes %s', (scenario) => {
      const checks = scenarios.get(scenario)?.filter(({ id }) => !CHECKS_THAT_DO_NOT_APPLY.has(id));
      expect(notPassed(checks)).toEqual([]);
      expect(hasPassed(checks)).toBe(true);
    });

    it('is asked nothing that nobody has judged', () => {
      const judged = new Set([...APPLICABLE[revision], ...excused]);
      expect([...scenarios.keys()].filter((scenario) => !judged.has(scenario))).toEqual([]);
    });

    it('is excused from nothing that it passes', () => {
      const passed = [...scenarios].filter(([scenario, checks]) => excused.has(scenario) && hasPassed(checks));
      expect(passed).toEqual([]);
      const checks = [...scenarios.values()].flat().filter(({ id }) => CHECKS_THAT_DO_NOT_APPLY.has(id));
      expect(checks.filter(({ status }) => status === 'SUCCESS')).toEqual([]);
    });

    it('sends no message that is not of the protocol, in any scenario', () => {
      const valid = [...scenarios.values()].flat().filter(({ id }) => id === 'wire-schema-valid');
      expect(valid.length).toBeGreaterThan(20);
      expect(notPassed(valid)).toEqual([]);
    });
  });
});
