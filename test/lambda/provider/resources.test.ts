import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Catalogue, Resources, withImplied } from '../../../lambda/provider/resources';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import type { Store } from '../../../lambda/store/store';
import { RESOURCES_PARTITION, type ResourceRecord } from '../../../lib/contract';
import { Harness, later, NOTES, REDIRECT_URI, RESOURCE } from './harness';

const FILES: ResourceRecord = {
  identifier: 'https://files.example.com/mcp',
  default: false,
  scopes: [
    { name: 'files:read', description: 'Read your files', default: true, implies: [] },
    { name: 'notes:use', description: 'Use your notes from files', default: false, implies: [] },
  ],
};

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** What the client hears of a request that is refused. */
async function refusalOf(harness: Harness, url: URL): Promise<Record<string, string>> {
  return Object.fromEntries((await harness.refusal(url)).searchParams);
}

describe('the registered resources', () => {
  it('are looked for again after their time, and where the clock was set back', async () => {
    const list = vi.fn(async () => []);
    const resources = new Resources({ list } as unknown as Store);
    await resources.catalogue();
    later(30);
    await resources.catalogue();
    expect(list).toHaveBeenCalledTimes(1);
    later(31);
    await resources.catalogue();
    expect(list).toHaveBeenCalledTimes(2);
    later(-7_200);
    await resources.catalogue();
    expect(list).toHaveBeenCalledTimes(3);
  });
});

describe('with several protected resources', () => {
  it('a request that names none is refused before anything is stored', async () => {
    await using harness = await Harness.start({ resources: [NOTES, FILES] });
    const client = await harness.register();
    const before = await harness.items();
    const { url } = harness.authorizationRequest(client, { resource: undefined });
    expect(await refusalOf(harness, url)).toMatchObject({ error: 'invalid_target', state: 'client-state' });
    expect(await harness.items()).toEqual(before);
  });

  it('a request that names none is for the one marked as default', async () => {
    await using harness = await Harness.start({ resources: [NOTES, { ...FILES, default: true }] });
    const client = await harness.register();
    const signIn = await harness.signIn(client, { resource: undefined });
    expect(signIn.consent.text).toContain(FILES.identifier);
    const { body } = await harness.redeem(client, signIn, { resource: undefined });
    expect(decodeJwt(body.access_token!)).toMatchObject({ aud: FILES.identifier, scope: 'files:read' });
  });

  it('a token request that names none is for the one that was consented to, not for the default', async () => {
    await using harness = await Harness.start({ resources: [NOTES, { ...FILES, default: true }] });
    const client = await harness.register();
    const { body } = await harness.redeem(client, await harness.signIn(client), { resource: undefined });
    expect(decodeJwt(body.access_token!).aud).toBe(RESOURCE);
    const refreshed = await harness.refresh(client, body.refresh_token);
    expect(decodeJwt(refreshed.body.access_token!).aud).toBe(RESOURCE);
  });

  it('a token is for the one that was consented to, and is not burned by asking for another', async () => {
    await using harness = await Harness.start({ resources: [NOTES, FILES] });
    const client = await harness.register();
    const signIn = await harness.signIn(client, { resource: FILES.identifier });
    const other = await harness.redeem(client, signIn, { resource: RESOURCE });
    expect([other.status, other.body.error]).toEqual([400, 'invalid_target']);
    const { body } = await harness.redeem(client, signIn, { resource: FILES.identifier });
    expect(decodeJwt(body.access_token!).aud).toBe(FILES.identifier);
    const refreshed = await harness.refresh(client, body.refresh_token, { resource: RESOURCE });
    expect([refreshed.status, refreshed.body.error]).toEqual([400, 'invalid_target']);
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
  });

  it('a request for two of them is refused, two spellings of one are one', async () => {
    await using harness = await Harness.start({ resources: [NOTES, FILES] });
    const client = await harness.register();
    const { url } = harness.authorizationRequest(client);
    url.searchParams.append('resource', `${RESOURCE}/`);
    expect((await harness.browser().open(url)).text).toContain('<h1>Connect');
    url.searchParams.append('resource', FILES.identifier);
    expect(await refusalOf(harness, url)).toMatchObject({ error: 'invalid_target', state: 'client-state' });
  });

  it('a scope of another resource is not granted', async () => {
    await using harness = await Harness.start({ resources: [NOTES, FILES] });
    const client = await harness.register();
    const signIn = await harness.signIn(client, { scope: 'files:read notes:read' });
    const { body } = await harness.redeem(client, signIn);
    expect(decodeJwt(body.access_token!).scope).toBe('notes:read');
  });

  it('the metadata names each of their scopes once', async () => {
    await using harness = await Harness.start({ resources: [NOTES, FILES] });
    const metadata = (await (await harness.fetch('/.well-known/openid-configuration')).json()) as {
      scopes_supported: string[];
    };
    expect(metadata.scopes_supported.filter((scope) => scope === 'notes:use')).toHaveLength(1);
    expect(metadata.scopes_supported).toContain('files:read');
  });
});

describe('the list of protected resources', () => {
  it('is looked at again after a minute', async () => {
    await using harness = await Harness.start({ instances: 1 });
    const client = await harness.register();
    const { url } = harness.authorizationRequest(client, { resource: FILES.identifier });
    expect(await refusalOf(harness, url)).toMatchObject({ error: 'invalid_target' });
    await harness.store.set(`${RESOURCES_PARTITION}/${FILES.identifier}`, FILES);
    later(61);
    expect((await harness.fetch(url)).headers.get('location')).toMatch(/^\/interaction\//);
  });

  it('is not forgotten to be read after an outage', async () => {
    await using harness = await Harness.start({ instances: 1 });
    const broken = vi
      .spyOn(DynamoStore.prototype, 'list')
      .mockRejectedValueOnce(Object.assign(new Error('throttled'), { $fault: 'server' }));
    const down = await harness.fetch('/.well-known/oauth-authorization-server');
    expect([down.status, down.headers.get('retry-after')]).toEqual([503, '5']);
    broken.mockRestore();
    expect((await harness.fetch('/.well-known/oauth-authorization-server')).status).toBe(200);
  });

  it('may be empty: then there is nothing to ask for', async () => {
    await using harness = await Harness.start({ resources: [] });
    const client = await harness.register();
    const answer = await harness.refusal(harness.authorizationRequest(client, { resource: undefined }).url);
    expect(answer.href.startsWith(REDIRECT_URI)).toBe(true);
    expect(answer.searchParams.get('error')).toBe('invalid_target');
  });
});

it('a resource that its server has registered and the configuration names as well is one, as the configuration has it', () => {
  const { default: only, scopeNames } = new Catalogue([FILES, { ...NOTES, identifier: `${FILES.identifier}/` }]);
  expect(only).toMatchObject({ scopes: NOTES.scopes });
  expect(scopeNames).toEqual(NOTES.scopes.map(({ name }) => name));
});

describe('a resource identifier', () => {
  const catalogue = new Catalogue([NOTES]);

  it.each([
    RESOURCE,
    `${RESOURCE}/`,
    `${RESOURCE}//`,
    'HTTPS://MCP.EXAMPLE.COM:443/mcp',
    'https://mcp.example.com/a/../mcp',
    'https://mcp.example.com/%6dc%70',
  ])('is spelled %s, too', (spelled) => {
    expect(catalogue.find(spelled)).toBe(NOTES);
  });

  it.each([
    'https://mcp.example.com/MCP',
    'https://mcp.example.com/mcp/x',
    'https://mcp.example.com/mcp%2F',
    'https://mcp.example.com/mcp%2Fx',
    'https://mcp.example.com/%256Dcp',
    'https://mcp.example.com/mcp?x',
    'https://mcp.example.com/mcp#x',
    'https://mcp.example.com/mcp#',
    'https://user@mcp.example.com/mcp',
    'https://:password@mcp.example.com/mcp',
    'https://mcp.example.com:8443/mcp',
    'http://mcp.example.com/mcp',
    'https://mcp.example.com.evil.example/mcp',
    '/mcp',
    '',
  ])('is not %j', (other) => {
    expect(catalogue.find(other)).toBeUndefined();
  });

  it('of a million slashes is refused as fast as any other', () => {
    expect(catalogue.find(`https://mcp.example.com/${'/'.repeat(1_000_000)}x`)).toBeUndefined();
  });
});

describe('a scope', () => {
  it('implies what its implied scopes imply, also in a circle', () => {
    const scope = (name: string, ...implies: string[]) => ({ name, description: name, default: false, implies });
    const scopes = [scope('a'), scope('b', 'a', 'd'), scope('c', 'b', 'unknown'), scope('d', 'c'), scope('e')];
    const granted = (...names: string[]) => withImplied({ ...NOTES, scopes }, names).map(({ name }) => name);
    expect(granted('c')).toEqual(['a', 'b', 'c', 'd']);
    expect(granted('e', 'e', 'unknown')).toEqual(['e']);
  });
});
