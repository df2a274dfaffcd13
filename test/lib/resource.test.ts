import type { ProtectedResourceProps } from 'mcp-oidc-auth';
import { describe, expect, test } from 'vitest';
import { newAuth, newStack, ofType } from './synth';

const READ = { name: 'notes:read', description: 'Read your notes' };
const WRITE = { name: 'notes:write', description: 'Add notes' };
const NOTES: ProtectedResourceProps = { identifier: 'https://mcp.example.com/notes', scopes: [READ] };

function record(props: Partial<ProtectedResourceProps>) {
  const stack = newStack();
  newAuth(stack, { resources: [{ ...NOTES, ...props }] });
  return JSON.parse(ofType(stack, 'Custom::McpOidcAuthProtectedResource')[0]?.[1].Properties.Resource);
}

describe('default scopes', () => {
  const defaults = (scopes: ProtectedResourceProps['scopes']) =>
    record({ scopes }).scopes.map((scope: { default: boolean }) => scope.default);

  test('are the first scope where none says so', () => expect(defaults([READ, WRITE])).toEqual([true, false]));
  test('are those that say so', () => expect(defaults([READ, { ...WRITE, default: true }])).toEqual([false, true]));
});

describe('an identifier', () => {
  test.each([
    'https://mcp.example.com',
    'https://mcp.example.com/',
    'https://mcp.example.com/a/b',
    'https://mcp.example.com:8443/mcp',
    'https://mcp.example.com/mcp?tenant=a',
    'https://mcp.example.com?tenant=a',
    'http://localhost:3001/mcp',
    'http://127.0.0.1:3001/mcp',
    'http://[::1]:3001/mcp',
  ])('may be %s', (identifier) => {
    expect(record({ identifier }).identifier).toBe(identifier);
  });

  test.each([
    ['mcp', "identifier must be an absolute URL, got 'mcp'."],
    ['http://mcp.example.com', 'identifier must begin with https:// (http:// only on localhost)'],
    ['urn:example:mcp', 'identifier must begin with https://'],
    ['https://mcp.example.com/#a', 'identifier must have no fragment and no credentials'],
    ['https://u@mcp.example.com/', 'identifier must have no fragment and no credentials'],
    ['https://MCP.example.com/mcp', "identifier must be the canonical spelling, 'https://mcp.example.com/mcp', got"],
    [
      'https://mcp.example.com:443/mcp',
      "identifier must be the canonical spelling, 'https://mcp.example.com/mcp', got",
    ],
    [
      'https://mcp.example.com/a/../mcp',
      "identifier must be the canonical spelling, 'https://mcp.example.com/mcp', got",
    ],
  ])('cannot be %s', (identifier, message) => {
    expect(() => record({ identifier })).toThrow(`McpOidcAuth: ${message}`);
  });
});

describe('descriptions of a scope', () => {
  test('go with it, by language', () => {
    const descriptions = { de: 'Ihre Notizen lesen', 'pt-BR': 'Ler suas notas' };
    expect(record({ scopes: [{ ...READ, descriptions }] }).scopes[0].descriptions).toEqual(descriptions);
  });

  test.each([
    [
      { 'de-at': 'x' },
      "descriptions of notes:read in scopes of 'https://mcp.example.com/notes' must be tags of languages in their usual spelling, 'de-AT'",
    ],
    [
      { 'not a tag': 'x' },
      "descriptions of notes:read in scopes of 'https://mcp.example.com/notes' must be tags of languages such as 'pt-BR' (BCP 47)",
    ],
    [
      { de: ' ' },
      "descriptions of notes:read in scopes of 'https://mcp.example.com/notes' must be words for 'de', got ' '.",
    ],
  ])('%j are refused', (descriptions, message) => {
    expect(() => record({ scopes: [{ ...READ, descriptions: descriptions as never }] })).toThrow(message);
  });
});

describe('scopes', () => {
  const NAMES =
    "scopes of 'https://mcp.example.com/notes' must be scope names without spaces, quotes and backslashes (RFC 6749 section 3.3), other than openid,";
  test.each([
    [[], "scopes of 'https://mcp.example.com/notes' must list at least one scope, got none."],
    [
      [READ, READ],
      "scopes of 'https://mcp.example.com/notes' must be scopes of different names, got 'notes:read' twice.",
    ],
    [[{ ...READ, name: 'notes read' }], NAMES],
    [[{ ...READ, name: 'notes"' }], NAMES],
    [[{ description: 'x' } as typeof READ], NAMES],
    [[{ name: 'x' } as typeof READ], "scope 'x' must have a description"],
    [
      undefined as unknown as [],
      "scopes of 'https://mcp.example.com/notes' must list at least one scope, got nothing.",
    ],
    [[{ ...READ, name: '' }], NAMES],
    [[{ ...READ, name: 'openid' }], NAMES],
    [[{ ...READ, name: 'offline_access' }], NAMES],
    [
      [{ ...READ, description: ' ' }],
      "scope 'notes:read' must have a description: the words that the consent page shows.",
    ],
    [
      [READ, { ...WRITE, implies: ['admin'] }],
      "implies of notes:write in scopes of 'https://mcp.example.com/notes' must be scopes of the resource (notes:read), got 'admin'.",
    ],
    [
      [{ ...READ, implies: ['notes:read'] }],
      "implies of notes:read in scopes of 'https://mcp.example.com/notes' must be scopes of the resource (there is no other), got",
    ],
  ])('%o are refused', (scopes, message) => {
    expect(() => record({ scopes })).toThrow(`McpOidcAuth: ${message}`);
  });
});

test('resources must be a list', () => {
  expect(() => newAuth(newStack(), { resources: NOTES as never })).toThrow(
    'McpOidcAuth: resources must be a list, got an object.',
  );
});
