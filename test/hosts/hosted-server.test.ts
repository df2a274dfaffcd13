import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Keyv } from 'keyv';
import { expect, test } from 'vitest';
import { checkedStore, hostedServer } from '../../hosts/hosted-server';
import { nodeHandler } from '../../hosts/node-handler';
import { OidcClient } from '../../hosts/oidc-client';
import { Settings } from '../../hosts/settings';

test('a server of Node answers for the authorization server, and for its routes alone', async () => {
  const settings = new Settings();
  const options = {
    idpClient: new OidcClient({
      issuer: 'http://localhost:1',
      clientId: 'a',
      clientSecret: 'b',
      redirectUri: 'http://localhost:3000/oauth/callback',
    }),
    store: new Keyv(),
    secret: 'x'.repeat(32),
    baseUrl: 'http://localhost:3000',
  };
  const hosted = hostedServer(options, checkedStore(options, settings), settings);
  await hosted.start();
  const handler = nodeHandler(hosted);
  const listener = createServer(async (req, res) => {
    if (!(await handler(req, res))) res.writeHead(418).end();
  }).listen(0);
  const url = `http://localhost:${(listener.address() as AddressInfo).port}`;
  const metadata = await fetch(`${url}/.well-known/oauth-authorization-server`);
  expect(await metadata.json()).toMatchObject({ issuer: 'http://localhost:3000' });
  const { keys } = (await (await fetch(`${url}/jwks`)).json()) as { keys: object[] };
  expect(keys).toHaveLength(2);
  expect((await fetch(`${url}/oauth/callback?state=a`)).status).toBe(403);
  expect((await fetch(`${url}/callback`)).status).toBe(418);
  expect((await fetch(`${url}/token`)).status).toBe(405);
  hosted.stop();
  listener.close();
});
