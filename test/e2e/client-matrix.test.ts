import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MetadataHost, startMetadataHost } from '../support/metadata-host';
import { deniedCalls, secretsInLogs } from './clean-logs';
import { CHATGPT } from './client-matrix/chatgpt';
import { CLAUDE_CODE } from './client-matrix/claude-code';
import { CLAUDE_WEB } from './client-matrix/claude-web';
import { CURSOR } from './client-matrix/cursor';
import { INSPECTOR } from './client-matrix/inspector';
import { MCP_REMOTE } from './client-matrix/mcp-remote';
import { Replay } from './client-matrix/replay';
import { VS_CODE } from './client-matrix/vs-code';
import { type LocalStack, Person, startLocalStack } from './local-stack';

let host: MetadataHost;
let local: LocalStack;
beforeAll(async () => {
  host = await startMetadataHost();
  local = await startLocalStack(
    {},
    {
      clientMetadata: { internalHosts: [new URL(host.origin).hostname] },
      functionOptions: { environment: { NODE_EXTRA_CA_CERTS: host.caFile } },
    },
  );
});
afterAll(async () => {
  await local?.[Symbol.asyncDispose]();
  await host?.close();
});

const replays: Replay[] = [];

/** The two lines of the official SDK run themselves in official-clients.test.ts. */
describe.each([...CLAUDE_WEB, ...CLAUDE_CODE, ...CURSOR, ...VS_CODE, ...CHATGPT, ...INSPECTOR, ...MCP_REMOTE])(
  '$name',
  (client) => {
    let replay: Replay;
    let person: Person;
    beforeAll(async () => {
      person = new Person(local, local.identityProvider.users[0]!);
      replay = new Replay(client, local, host, person);
      replays.push(replay);
      await replay.connect();
    });

    it('finds out where to sign in, is known, and gets a token for what the person consented to', () => {
      const { pathname } = new URL(local.mcpUrl);
      const lookups = {
        initialize: { request: `POST ${pathname}`, status: 401 },
        stream: { request: `GET ${pathname}`, status: 401 },
        resource: { request: 'GET /prod/.well-known/oauth-protected-resource/mcp', status: 200 },
        server: { request: 'GET /.well-known/oauth-authorization-server', status: 200 },
      };
      const registrations = 'document' in client.identity ? 0 : (client.identity.times ?? 1);
      expect(replay.exchanges).toEqual([
        ...client.discovery.map(({ what }) => lookups[what]),
        ...Array(registrations).fill({ request: 'POST /register', status: 201 }),
        ...(client.beforeToken ?? []).map(({ what }) => lookups[what]),
        { request: 'POST /token', status: 200 },
        { request: `POST ${pathname}`, status: 200 },
        { request: `POST ${pathname}`, status: 202 },
      ]);

      const name =
        'document' in client.identity
          ? client.identity.document.metadata
          : client.identity.registration(replay.discovered);
      expect(person.consentPage).toContain(String(name.client_name));
      const redirect = new URL(client.redirectUri);
      expect(person.consentPage).toContain(
        redirect.host && redirect.protocol.startsWith('http') ? redirect.host : redirect.protocol,
      );
      expect(decodeJwt(replay.tokens!.access_token)).toMatchObject({
        aud: local.mcpUrl,
        client_id: replay.clientId,
        scope: replay.tokens!.scope,
      });
      expect(replay.tokens!.scope.split(' ')).toContain('notes:use');
      expect(replay.tokens!.scope).not.toContain('offline_access');
    });

    it('lists and calls the tools', async () => {
      expect((await replay.mcp('tools/list')).text).toContain('"add_note"');
      const { status, text } = await replay.call('whoami');
      expect([status, text]).toEqual([200, expect.stringContaining(local.identityProvider.users[0]!.username)]);
      expect(text).toContain(replay.clientId);
    });

    const setClockOffset = async (seconds: number) => {
      replay.clockOffset = seconds;
      await local.stack.setClockOffset(seconds);
    };

    it('refreshes when its token has expired, as often as it runs', async () => {
      const before = replay.tokens!;
      await setClockOffset(before.expires_in + 60);
      try {
        expect(await replay.call('whoami')).toMatchObject({
          status: 401,
          challenge: { resource_metadata: expect.any(String) },
        });
        const answers = await replay.refresh();
        expect(new Set(answers.map(({ refresh_token }) => refresh_token)).size).toBe(1);
        expect(replay.tokens!.refresh_token).not.toBe(before.refresh_token);
        expect(replay.tokens!.scope).toBe(before.scope);
        expect((await replay.call('whoami')).status).toBe(200);
      } finally {
        await setClockOffset(0);
      }
    });

    it('adds a note, or hears which scope it lacks', async () => {
      const call = () => replay.call('add_note', { text: client.name });
      const first = await call();
      if (replay.tokens!.scope.includes('notes:write')) {
        expect([first.status, first.text]).toEqual([200, expect.not.stringContaining('lacks')]);
        return;
      }
      if (!client.stepUp) {
        expect([first.status, first.text]).toEqual([200, expect.stringContaining('lacks the scope notes:write')]);
        return;
      }
      expect(first).toMatchObject({ status: 403, challenge: { error: 'insufficient_scope' } });
      await replay.authorize(client.stepUp(replay.discovered, first.challenge.scope ?? ''));
      expect(person.consentPage).toContain('Add notes');
      expect((await call()).status).toBe(200);
    });
  },
);

describe('what was logged', () => {
  it('holds no code, token or secret', () => expect(secretsInLogs(local, replays)).toEqual([]));
  it('shows no call that a role does not allow', () => expect(deniedCalls(local)).toEqual([]));
});
