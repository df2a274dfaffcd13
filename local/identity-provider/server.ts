import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Settings, Started } from './messages';
import { createProvider } from './provider';
import { type Page, showSignIn, showSignOut, signIn, signOut } from './sign-in';

process.once('message', async (settings: Settings) => {
  const started = await start(settings).catch(({ code, message }: NodeJS.ErrnoException): Started => {
    return { error: code ?? message };
  });
  process.send!(started);
});

// The parent has ended, however it did.
process.once('disconnect', () => process.exit());

async function start(settings: Settings): Promise<Started> {
  const server = createServer();
  server.listen(settings.port, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = createProvider(issuer, settings);
  const engine = provider.callback();
  server.on('request', (request, response) => {
    const page = ownRoute(request);
    if (page) page(provider, settings.people, request, response).catch((error: Error) => fail(response, error));
    else engine(request, response);
  });
  return { issuer };
}

function ownRoute({ method, url = '/' }: IncomingMessage): Page | undefined {
  const { pathname } = new URL(url, 'http://127.0.0.1');
  if (pathname.startsWith('/interaction/')) return method === 'POST' ? signIn : showSignIn;
  if (pathname === '/sign-out') return method === 'POST' ? signOut : showSignOut;
  return undefined;
}

function fail(response: ServerResponse, error: Error): void {
  console.error('The demo identity provider:', error);
  response.writeHead(500, { 'content-type': 'text/plain' }).end('Something went wrong. The terminal says what.\n');
}
