import { describe, expect, test } from 'vitest';
import { clientMetadata } from '../../lib/client-metadata';

describe('clientMetadata.internalHosts', () => {
  test('are none by default', () => {
    expect(clientMetadata({})).toEqual({ internalHosts: [], deniedHosts: [] });
  });

  test.each(['localhost', 'apps.corp.example.com', '10.1.2.3', '[fd00::1]', 'xn--bcher-kva.example'])(
    'may be %s',
    (host) => {
      expect(clientMetadata({ internalHosts: [host] })).toEqual({ internalHosts: [host], deniedHosts: [] });
    },
  );

  test.each([
    'https://apps.corp.example.com',
    'apps.corp.example.com:8443',
    'apps.corp.example.com/clients',
    'user@apps.corp.example.com',
    'Apps.corp.example.com',
    '*.corp.example.com',
    'bücher.example',
    'a b',
    '',
    42,
  ])('may not be %j', (host) => {
    expect(() => clientMetadata({ internalHosts: [host as string] })).toThrow(
      /^McpOidcAuth: clientMetadata\.internalHosts must be bare host names/,
    );
  });
});

test.each(['internalHosts', 'allowedHosts', 'deniedHosts'])('clientMetadata.%s must be a list', (name) => {
  expect(() => clientMetadata({ [name]: 'localhost' })).toThrow(
    `McpOidcAuth: clientMetadata.${name} must be a list, got 'localhost'.`,
  );
});

describe.each(['allowedHosts', 'deniedHosts'])('clientMetadata.%s', (name) => {
  test.each(['claude.ai', '*.example.com', 'localhost', '*.corp', 'xn--bcher-kva.example'])('may be %s', (host) => {
    expect(clientMetadata({ [name]: [host] })).toMatchObject({ [name]: [host] });
  });

  test.each([
    'https://claude.ai',
    'claude.ai:443',
    'claude.ai/oauth',
    'Claude.ai',
    '*',
    '*.',
    '*.*.example.com',
    'a.*.example.com',
    '*example.com',
    '.example.com',
    'a b',
    '',
    42,
  ])('may not be %j', (host) => {
    expect(() => clientMetadata({ [name]: [host as string] })).toThrow(
      new RegExp(`^McpOidcAuth: clientMetadata\\.${name} must be bare host names .* or all below one`),
    );
  });
});

describe('clientMetadata.allowedHosts', () => {
  test('are all by default', () => {
    expect(clientMetadata({})).not.toHaveProperty('allowedHosts');
  });

  test('may not be none', () => {
    expect(() => clientMetadata({ allowedHosts: [] })).toThrow(
      'clientMetadata.allowedHosts must be a list that names a host; leave it out',
    );
  });
});
