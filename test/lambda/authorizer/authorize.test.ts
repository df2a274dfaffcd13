import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { authorizer } from '../../../lambda/authorizer/authorize';
import type { AuthorizerConfig } from '../../../lib/contract';
import { catchLog } from '../../support/log-lines';
import { httpEvent, restEvent } from './events';
import { AUDIENCE, Issuer } from './issuer';

let issuer: Issuer;
let log: ReturnType<typeof catchLog>;

beforeAll(async () => {
  issuer = await Issuer.start();
});

afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
});

beforeEach(() => {
  log = catchLog();
});

afterEach(() => {
  vi.restoreAllMocks();
  issuer.publish();
});

function configured(config: Partial<AuthorizerConfig> = {}) {
  return authorizer({
    issuer: issuer.url,
    jwksUri: `${issuer.url}/jwks`,
    audience: AUDIENCE,
    scopes: ['notes:read'],
    toolScopes: {},
    dpop: false,
    claims: [],
    ...config,
  });
}

describe('behind a REST API', () => {
  it('allows every method of the stage, since the policy is reused for all of them', async () => {
    const result = await configured()(restEvent({ Authorization: `Bearer ${await issuer.token()}` }));
    expect(result).toEqual({
      principalId: 'person',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Action: 'execute-api:Invoke',
            Effect: 'Allow',
            Resource: 'arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/prod/*/*',
          },
        ],
      },
      context: { sub: 'person', client_id: 'client', scope: 'notes:read notes:write' },
    });
    expect(log.lines()).toEqual([]);
  });

  it('hands over configured claims as strings, and never lets one stand in for another', async () => {
    const claims = [
      'email',
      'groups',
      'age',
      'absent',
      'principalId',
      'claims',
      'sub',
      'client_id',
      '__proto__',
      'constructor',
    ];
    const token = await issuer.token({
      email: 'a@example.com',
      groups: ['x', 'y'],
      age: 7,
      principalId: 'other',
      claims: 'other',
    });
    const result = await configured({ claims })(restEvent({ Authorization: `Bearer ${token}` }));
    expect(result).toMatchObject({ principalId: 'person' });
    expect((result as { context: unknown }).context).toEqual({
      sub: 'person',
      client_id: 'client',
      scope: 'notes:read notes:write',
      email: 'a@example.com',
      groups: '["x","y"]',
      age: '7',
    });
  });

  it('denies without a scope that every call needs', async () => {
    const token = await issuer.token({ scope: 'notes:write notes:readers' });
    const result = await configured()(restEvent({ Authorization: `Bearer ${token}` }));
    expect(result).toMatchObject({ policyDocument: { Statement: [{ Effect: 'Deny' }] }, context: {} });
    expect(log.lines()).toMatchObject([
      { level: 'INFO', event: 'insufficient_scope', requestId: 'request-1', missing: ['notes:read'] },
    ]);
  });

  it('calls an expired token without the scope invalid, so that the client refreshes', async () => {
    const token = await issuer.token({ scope: '', exp: 1 });
    await expect(configured()(restEvent({ Authorization: `Bearer ${token}` }))).rejects.toThrow(/^Unauthorized$/);
    expect(log.lines()).toMatchObject([{ event: 'invalid_token', requestId: 'request-1', reason: 'expired' }]);
  });

  it('fails while the key set cannot be had, and does not call the token invalid', async () => {
    const token = await issuer.token();
    issuer.answer = { status: 500, body: '' };
    const failure = configured()(restEvent({ Authorization: `Bearer ${token}` }));
    await expect(failure).rejects.not.toThrow('Unauthorized');
    expect(log.lines()).toMatchObject([{ level: 'ERROR', event: 'key_set_unavailable', requestId: 'request-1' }]);
  });

  it('reads the scheme and the name of the header in any case', async () => {
    const token = await issuer.token();
    for (const [name, scheme] of [
      ['authorization', 'bearer'],
      ['AUTHORIZATION', 'BEARER '],
    ] as const) {
      await expect(configured()(restEvent({ [name]: `${scheme} ${token}` }))).resolves.toMatchObject({
        principalId: 'person',
      });
    }
  });

  it('never writes the token or the person to the log', async () => {
    const token = await issuer.token({ sub: 'jane.doe', scope: '', aud: 'https://secret.example.com' });
    await expect(configured()(restEvent({ Authorization: `Bearer ${token}` }))).rejects.toThrow();
    await configured()(restEvent({ Authorization: `Bearer ${await issuer.token({ sub: 'jane.doe', scope: '' })}` }));
    expect(log.text()).not.toMatch(/eyJ|jane|secret/);
  });
});

describe('the Authorization header', () => {
  it.each<[string, (token: string) => Record<string, string | string[]>]>([
    ['is missing', () => ({})],
    ['is empty', () => ({ Authorization: '' })],
    ['has no scheme', (token) => ({ Authorization: token })],
    ['has another scheme', (token) => ({ Authorization: `DPoP ${token}` })],
    ['has a scheme that begins alike', (token) => ({ Authorization: `Bearers ${token}` })],
    ['is sent twice', (token) => ({ Authorization: [`Bearer ${token}`, `Bearer ${token}`] })],
    ['is sent twice, once wrong', (token) => ({ Authorization: ['Bearer x.y.z', `Bearer ${token}`] })],
    [
      'is sent twice in another case',
      (token) => ({ Authorization: `Bearer ${token}`, authorization: `Bearer ${token}` }),
    ],
    ['has two values', (token) => ({ Authorization: `Bearer ${token}, Bearer ${token}` })],
    ['has two tokens', (token) => ({ Authorization: `Bearer ${token} ${token}` })],
    ['has characters outside of b64token', (token) => ({ Authorization: `Bearer "${token}"` })],
    ['has a second line', (token) => ({ Authorization: `Bearer ${token}\nBearer ${token}` })],
    ['has the token in the wrong place', (token) => ({ 'X-Authorization': `Bearer ${token}` })],
  ])('leads to a 401 where it %s', async (_, headers) => {
    const sent = headers(await issuer.token());
    await expect(configured()(restEvent(sent))).rejects.toThrow(/^Unauthorized$/);
    await expect(configured()(httpEvent(sent))).resolves.toEqual({ isAuthorized: false });
  });
});

describe('behind an HTTP API', () => {
  it('allows with the same context', async () => {
    const token = await issuer.token({ email: 'a@example.com' });
    const result = await configured({ claims: ['email'] })(httpEvent({ Authorization: `Bearer ${token}` }));
    expect(result).toEqual({
      isAuthorized: true,
      context: { sub: 'person', client_id: 'client', scope: 'notes:read notes:write', email: 'a@example.com' },
    });
  });

  it('denies without the scope', async () => {
    const token = await issuer.token({ scope: '' });
    expect(await configured()(httpEvent({ Authorization: `Bearer ${token}` }))).toEqual({ isAuthorized: false });
  });

  it('fails while the key set cannot be had', async () => {
    const token = await issuer.token();
    issuer.answer = { status: 500, body: '' };
    await expect(configured()(httpEvent({ Authorization: `Bearer ${token}` }))).rejects.toThrow('is not available');
  });
});

describe('scopes of a tool', () => {
  const toolScopes = { add_note: ['notes:write'], 'notiz hinzufügen': ['notes:write'] };

  it.each<[string, 'Allow' | 'Deny', Record<string, string | string[]>]>([
    ['the tool', 'Deny', { 'Mcp-Method': 'tools/call', 'Mcp-Name': 'add_note' }],
    ['the tool, in other header case', 'Deny', { 'MCP-METHOD': 'tools/call', 'mcp-name': 'add_note' }],
    ['the tool, with spaces around it', 'Deny', { 'Mcp-Method': ' tools/call ', 'Mcp-Name': '\tadd_note ' }],
    ['the tool, encoded', 'Deny', { 'Mcp-Method': 'tools/call', 'Mcp-Name': `=?base64?${btoa('add_note')}?=` }],
    // The last letter carries bits that belong to no byte: decoders disagree about such names.
    ['another tool, badly encoded', 'Deny', { 'Mcp-Method': 'tools/call', 'Mcp-Name': '=?base64?bGlzdF9ub3Rlcx==?=' }],
    ['another tool, encoded', 'Allow', { 'Mcp-Method': 'tools/call', 'Mcp-Name': '=?base64?bGlzdF9ub3Rlcw==?=' }],
    ['the tool after another one', 'Deny', { 'Mcp-Method': 'tools/call', 'Mcp-Name': ['list_notes', 'add_note'] }],
    ['the tool before another one', 'Deny', { 'Mcp-Method': 'tools/call', 'Mcp-Name': 'add_note, list_notes' }],
    [
      'the tool in two spellings',
      'Deny',
      { 'Mcp-Method': 'tools/call', 'Mcp-Name': 'list_notes', 'mcp-name': 'add_note' },
    ],
    ['two methods', 'Deny', { 'Mcp-Method': ['tools/list', 'tools/call'], 'Mcp-Name': 'add_note' }],
    ['two methods in one value', 'Deny', { 'Mcp-Method': 'tools/list,tools/call', 'Mcp-Name': 'add_note' }],
    [
      'a tool that has to be encoded',
      'Deny',
      { 'Mcp-Method': 'tools/call', 'Mcp-Name': `=?base64?${Buffer.from('notiz hinzufügen').toString('base64')}?=` },
    ],
    ['another tool', 'Allow', { 'Mcp-Method': 'tools/call', 'Mcp-Name': 'list_notes' }],
    [
      'a tool that is named like a property of objects',
      'Allow',
      { 'Mcp-Method': 'tools/call', 'Mcp-Name': 'constructor' },
    ],
    ['a prompt that is named like the tool', 'Allow', { 'Mcp-Method': 'prompts/get', 'Mcp-Name': 'add_note' }],
    ['a resource with a comma', 'Allow', { 'Mcp-Method': 'resources/read', 'Mcp-Name': 'file:///a,b' }],
    ['nothing, as earlier revisions of MCP', 'Allow', {}],
  ])('%s -> %s', async (_, effect, headers) => {
    const event = { Authorization: `Bearer ${await issuer.token({ scope: 'notes:read' })}`, ...headers };
    const authorize = configured({ toolScopes });
    await expect(authorize(restEvent(event))).resolves.toMatchObject({
      policyDocument: { Statement: [{ Effect: effect }] },
    });
    await expect(authorize(httpEvent(event))).resolves.toMatchObject({ isAuthorized: effect === 'Allow' });
  });

  it('are granted', async () => {
    const headers = {
      'Mcp-Method': 'tools/call',
      'Mcp-Name': 'add_note',
      Authorization: `Bearer ${await issuer.token()}`,
    };
    await expect(configured({ toolScopes })(httpEvent(headers))).resolves.toMatchObject({ isAuthorized: true });
  });

  it('do not matter where none are configured', async () => {
    const headers = { 'Mcp-Method': 'a,b', Authorization: `Bearer ${await issuer.token()}` };
    await expect(configured()(httpEvent(headers))).resolves.toMatchObject({ isAuthorized: true });
  });
});
