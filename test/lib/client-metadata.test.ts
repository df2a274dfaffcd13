import { describe, expect, test } from 'vitest';
import { clientMetadata } from '../../lib/client-metadata';

describe('clientMetadata.internalHosts', () => {
  test('are none by default', () => {
    expect(clientMetadata({})).toEqual({ internalHosts: [] });
  });

  test.each(['localhost', 'apps.corp.example.com', '10.1.2.3', '[fd00::1]', 'xn--bcher-kva.example'])(
    'may be %s',
    (host) => {
      expect(clientMetadata({ internalHosts: [host] })).toEqual({ internalHosts: [host] });
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
