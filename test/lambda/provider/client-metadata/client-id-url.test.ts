import { describe, expect, it } from 'vitest';
import { isClientIdUrl, problemOfClientIdUrl } from '../../../../lambda/provider/client-metadata/client-id-url';

const internalHosts = ['localhost', '10.1.2.3', 'apps.corp.example.com'];
const problemOf = (clientId: string) => problemOfClientIdUrl(clientId, { internalHosts, deniedHosts: [] });

describe('a client id', () => {
  it.each([
    'https://claude.ai/oauth/claude-code-client-metadata',
    'https://vscode.dev/oauth/client-metadata.json',
    'https://chatgpt.com/oauth/client.json',
    'https://xn--bcher-kva.example/client',
  ])('%s is the URL of a document', (clientId) => {
    expect(isClientIdUrl(clientId)).toBe(true);
    expect(problemOf(clientId)).toBeUndefined();
  });

  it.each(['https://localhost:8443/client', 'https://10.1.2.3/client', 'https://apps.corp.example.com:8443/client'])(
    '%s is one because its host is named as internal',
    (clientId) => {
      expect(problemOf(clientId)).toBeUndefined();
      expect(problemOfClientIdUrl(clientId, { internalHosts: [], deniedHosts: [] })).toBeTruthy();
    },
  );

  it.each(['Opk4oNr3LllQKGu_Ycb', 'http://client.example.com/client', 'com.example:/client', ''])(
    '%s is no URL of a document',
    (clientId) => {
      expect(isClientIdUrl(clientId)).toBe(false);
    },
  );

  it.each([
    ['no path', 'https://client.example.com/'],
    ['not in its normal form', 'https://client.example.com'],
    ['a query', 'https://client.example.com/client?a=b'],
    ['a query', 'https://client.example.com/client?'],
    ['a fragment', 'https://client.example.com/client#a'],
    ['a fragment', 'https://client.example.com/client#'],
    ['user information', 'https://user@client.example.com/client'],
    ['user information', 'https://user:pass@client.example.com/client'],
    ['user information', 'https://localhost@client.example.com/client'],
    ['not in its normal form', 'https://client.example.com/a/../client'],
    ['not in its normal form', 'https://client.example.com/./client'],
    ['not in its normal form', 'https://client.example.com/a/%2e%2E/client'],
    ['not in its normal form', 'https://client.example.com/.%2e/client'],
    ['not in its normal form', 'HTTPS://client.example.com/client'],
    ['not in its normal form', 'https://Client.example.com/client'],
    ['not in its normal form', 'https://client.example.com:443/client'],
    ['not in its normal form', 'https:\\\\client.example.com\\client'],
    ['not in its normal form', 'https://client.example.com\\@localhost/client'],
    ['not in its normal form', 'https://bücher.example/client'],
    ['not in its normal form', 'https://client.example.com/a b'],
    ['not in its normal form', ' https://client.example.com/client'],
    ['not in its normal form', 'https://client.example.com/cli\tent'],
    ['not in its normal form', 'https://0x7f.1/client'],
    ['not in its normal form', 'https://2130706433/client'],
    ['not in its normal form', 'https://127.1/client'],
    ['a port', 'https://client.example.com:8443/client'],
    ['an address', 'https://127.0.0.1/client'],
    ['an address', 'https://1.1.1.1/client'],
    ['an address', 'https://[::1]/client'],
    ['an address', 'https://[2606:4700::1111]/client'],
    ['not a public name', 'https://intranet/client'],
    ['not a public name', 'https://client.example.com./client'],
    ['not a URL', 'https://'],
    ['not a URL', 'https://[/client'],
    ['longer than', `https://client.example.com/${'x'.repeat(500)}`],
  ])('is refused for %s: %s', (problem, clientId) => {
    expect(problemOf(clientId)).toContain(problem);
  });
});

describe('of a client id, the host', () => {
  const problem = 'its host is not one that is allowed here';
  const hosts = {
    internalHosts: ['localhost', 'apps.corp.example.com'],
    allowedHosts: ['claude.ai', '*.example.com', 'evil.example.org'],
    deniedHosts: ['old.example.com', '*.evil.example.org', 'apps.corp.example.com'],
  };

  it.each([
    'https://claude.ai/client',
    'https://a.example.com/client',
    'https://a.b.example.com/client',
    'https://evil.example.org/client',
    'https://localhost:8443/client',
  ])('of %s is allowed', (clientId) => {
    expect(problemOfClientIdUrl(clientId, hosts)).toBeUndefined();
  });

  it.each([
    'https://www.claude.ai/client',
    'https://claude.ai.example.net/client',
    'https://notclaude.ai/client',
    'https://example.com/client',
    'https://notexample.com/client',
    'https://chatgpt.com/client',
  ])('of %s is not allowed', (clientId) => {
    expect(problemOfClientIdUrl(clientId, hosts)).toBe(problem);
    expect(problemOfClientIdUrl(clientId, { internalHosts: [], deniedHosts: [] })).toBeUndefined();
  });

  it.each([
    'https://old.example.com/client',
    'https://a.evil.example.org/client',
    'https://apps.corp.example.com/client',
  ])('of %s is denied, whatever else says that it is allowed', (clientId) => {
    expect(problemOfClientIdUrl(clientId, hosts)).toBe(problem);
  });

  it('may be any where none is named', () => {
    expect(problemOfClientIdUrl('https://chatgpt.com/client', { internalHosts: [], deniedHosts: [] })).toBeUndefined();
  });
});
