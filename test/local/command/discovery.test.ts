import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { checkDiscovery, checkIssuer } from '../../../local/command/discovery';
import { startUpstreamIssuer } from '../../support/upstream-issuer';

const never = new AbortController().signal;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** @returns the origin of a server with these answers */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A discovery document below `/tenant`, with what a test changes. */
async function serveMetadata(changes: (origin: string) => object): Promise<string> {
  const origin = await serve((req, res) => {
    if (req.url !== '/tenant/.well-known/openid-configuration') return res.writeHead(404).end();
    const metadata = {
      issuer: `${origin}/tenant`,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      jwks_uri: `${origin}/jwks`,
    };
    return res.end(JSON.stringify({ ...metadata, ...changes(origin) }));
  });
  return origin;
}

describe('an issuer', () => {
  test.each([
    'https://login.example.com',
    'https://login.example.com/',
    'https://example.com/realms/staff',
    'http://localhost:8080/realms/staff',
    'http://127.0.0.1:8080',
    'http://[::1]:8080',
  ])('may be %s', (issuer) => {
    expect(() => checkIssuer(issuer)).not.toThrow();
  });

  test.each([
    ['login.example.com', 'must be given as a URL, got "login.example.com"'],
    ['', 'must be given as a URL'],
    ['http://login.example.com', 'must be https'],
    ['http://localhost.example.com', 'must be https'],
    ['ftp://login.example.com', 'must be https'],
    ['https://login.example.com/.well-known/openid-configuration', 'without /.well-known/'],
    ['https://login.example.com?tenant=a', 'no query'],
    ['https://login.example.com#a', 'no query, fragment'],
    ['https://me:hush@login.example.com', 'user name'],
  ])('may not be %j', (issuer, reason) => {
    expect(() => checkIssuer(issuer)).toThrow(reason);
    expect(() => checkIssuer(issuer)).not.toThrow('hush');
  });
});

describe('the look at the discovery document', () => {
  test('is content with an identity provider that people can be sent to', async () => {
    await using upstream = await startUpstreamIssuer();
    await checkDiscovery(upstream.issuer, never);
    await checkDiscovery(`${await serveMetadata(() => ({}))}/tenant`, never);
  });

  test('is content with what the authorization server can use', async () => {
    const origin = await serveMetadata(() => ({
      response_types_supported: ['code', 'id_token'],
      code_challenge_methods_supported: ['plain', 'S256'],
      token_endpoint_auth_methods_supported: ['client_secret_post'],
    }));
    await checkDiscovery(`${origin}/tenant`, never);
  });

  test.each([
    ['/tenant/', '/tenant'],
    ['/tenant', '/tenant/'],
  ])('says how the issuer is spelled there (given %s, there %s)', async (given, there) => {
    const origin = await serveMetadata((self) => ({ issuer: self + there }));
    await expect(checkDiscovery(origin + given, never)).rejects.toThrow(
      `spells the issuer "${origin}${there}", and "${origin}${given}" was given`,
    );
  });

  test('lets nothing that it shows move the cursor', async () => {
    const origin = await serveMetadata(() => ({ issuer: '\x1b[2J' }));
    await expect(checkDiscovery(`${origin}/tenant`, never)).rejects.toThrow('"\\u001b[2J"');
  });

  test.each([
    ['authorization_endpoint', undefined, 'has no authorization_endpoint'],
    ['token_endpoint', undefined, 'has no token_endpoint'],
    ['jwks_uri', undefined, 'has no jwks_uri'],
    ['response_types_supported', ['id_token'], 'must support code;'],
    ['code_challenge_methods_supported', ['plain'], 'must support S256;'],
    [
      'token_endpoint_auth_methods_supported',
      ['private_key_jwt'],
      'must support client_secret_basic or client_secret_post;',
    ],
  ])('names what is missing: %s %j', async (name, value, reason) => {
    const origin = await serveMetadata(() => ({ [name]: value }));
    await expect(checkDiscovery(`${origin}/tenant`, never)).rejects.toThrow(reason);
  });

  test('says what the address answers, and does not follow it elsewhere', async () => {
    const origin = await serveMetadata(() => ({}));
    await expect(checkDiscovery(origin, never)).rejects.toThrow('answers with 404: is the issuer complete?');
    const elsewhere = await serve((_, res) => {
      res.writeHead(302, { location: `${origin}/tenant/.well-known/openid-configuration` }).end();
    });
    await expect(checkDiscovery(elsewhere, never)).rejects.toThrow('answers with 302');
  });

  test.each(['<!doctype html>', 'null', '"text"'])('does not take %s for a document', async (body) => {
    const origin = await serve((_, res) => res.end(body));
    await expect(checkDiscovery(origin, never)).rejects.toThrow('something else than a JSON document');
  });

  test('says why nobody answers', async () => {
    const origin = await serve(() => {});
    closing.shift()!();
    await expect(checkDiscovery(origin, never)).rejects.toThrow(/cannot be reached: .*ECONNREFUSED/);
  });

  test('ends with its signal', async () => {
    const ending = new AbortController();
    const asked = new EventEmitter();
    const origin = await serve(() => asked.emit('asked'));
    const arrived = once(asked, 'asked');
    const looking = checkDiscovery(origin, ending.signal);
    await arrived;
    ending.abort();
    await expect(looking).rejects.toThrow('aborted');
  });
});
