import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type MetadataHost, startMetadataHost } from '../support/metadata-host';
import { type LocalStack, Person, startLocalStack } from './local-stack';
import { McpApp } from './mcp-app';

let host: MetadataHost;
let local: LocalStack;
beforeAll(async () => {
  host = await startMetadataHost();
  local = await startLocalStack({}, host);
});
afterAll(async () => {
  await local?.[Symbol.asyncDispose]();
  await host?.close();
});

/** As Claude Code's document: loopback without a port, and no application_type. */
const REDIRECT_URIS = ['http://localhost/callback', 'http://127.0.0.1/callback'];

it('the official MCP client signs in by its metadata document, and registers nothing', async () => {
  const url = host.publish('/app/client.json', { client_name: 'Published app', redirect_uris: REDIRECT_URIS });
  const person = new Person(local, local.identityProvider.users[0]!);
  const app = new McpApp(local.mcpUrl, person, { clientMetadataUrl: url });
  await app.connect();
  expect(await app.call('whoami')).toContain(local.identityProvider.users[0]!.username);
  expect(app.authorizations[0]?.searchParams.get('client_id')).toBe(url);
  expect(decodeJwt(app.current!.access_token).client_id).toBe(url);
  expect(person.consentPage).toContain('Published app');

  // The document is in the table, for every instance: its host may be down from here on.
  host.disturb('reset');
  await local.stack.setClockOffset(3700);
  try {
    expect(await app.call('whoami')).toContain(local.identityProvider.users[0]!.username);
  } finally {
    await local.stack.setClockOffset(0);
    host.mend();
  }
  expect(app.authorizations).toHaveLength(1);
  await app.close();

  const events = local.logs.map((line) => line.replace(/^\S+ /, '')).filter((line) => line.includes('"event"'));
  expect(events.filter((line) => line.includes('client_metadata.fetched'))).toHaveLength(1);
  expect(events.filter((line) => line.includes('client.registered'))).toEqual([]);
  expect(local.stack.calls.filter(({ allowed }) => !allowed)).toEqual([]);
});
