import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from '../lambda/provider/http';
import { logEvent, logProblem } from '../lambda/provider/log';
import { described } from '../lib/refusal';
import { type OpenStore, STORE_SCHEMES, schemeOf, storeFromUrl } from '../stores/store-from-url';
import { checkOptions, isProduction } from './check-options';
import { checkedStore, type HostedServer, hostedServer } from './hosted-server';
import { checkKnown } from './known-options';
import { addressOf, type NodeHandler, nodeHandler, send } from './node-handler';
import { refuseMemory } from './open-store';
import { readiness } from './readiness';
import type { Settings } from './settings';
import type { OidcServer, OidcServerOptions } from './standalone';

/** Milliseconds that requests which are under way have to end. */
const GRACE = 10_000;

/**
 * Limits in milliseconds for a request to arrive. A connection stays open for longer than proxies keep theirs (60 seconds, often), so that none
 * is closed in the moment in which a proxy sends a request. Node looks for requests that are over theirs every 30 seconds, unless told otherwise.
 */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
};

/**
 * @param settings collects what is wrong, and knows settings by other names than those of the options
 * @throws SettingsError naming every setting that is missing or wrong
 */
export function standaloneServer(options: OidcServerOptions, settings: Settings): OidcServer {
  const { store, port, onListen } = options;
  checkKnown(settings, 'server', '', options);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    settings.refuse('port', described(port), 'a number from 0 to 65535');
  }
  if (onListen !== undefined && typeof onListen !== 'function') {
    settings.refuse('onListen', described(onListen), 'a function');
  }
  let opened: OpenStore | undefined;
  let hosted: HostedServer | undefined;
  let listener: Server | undefined;
  /** While they are under way: whoever calls meanwhile waits, or is refused. */
  let starting: Promise<Server> | undefined;
  let stopping: Promise<void> | undefined;

  function onKeyv(store: object): () => Promise<HostedServer> {
    const ready = hostedServer(options, checkedStore({ ...options, store }, settings), settings);
    return async () => ready;
  }

  /** A connection is made when the server starts. */
  function onUrl(url: string): () => Promise<HostedServer> {
    checkStoreUrl(settings, url, options);
    checkOptions(settings, options);
    settings.done();
    return async () => {
      opened = await storeFromUrl(url).catch((error: Error) => {
        settings.refuse('store', `a URL of ${schemeOf(url)}`, `one of a store that can be opened. ${error.message}`);
        throw settings.error();
      });
      return hostedServer(options, opened.store, settings);
    };
  }

  const host = typeof store === 'string' ? onUrl(store) : onKeyv(store);

  async function open(): Promise<Server> {
    try {
      hosted = await host();
      await hosted.start();
      listener = await listen(port, hosted);
      logEvent('server.listening', { issuer: options.baseUrl, port: portOf(listener) });
      onListen?.(options.baseUrl);
      return listener;
    } catch (error) {
      await close();
      throw error;
    }
  }

  async function close(): Promise<void> {
    hosted?.stop();
    if (listener?.listening) await closed(listener);
    listener = undefined;
    await opened?.close();
    opened = undefined;
  }

  async function end(): Promise<void> {
    // One that fails closes what it has opened, and whoever has called it hears of that.
    if (starting) await starting.catch(() => {});
    if (!listener) return;
    await close();
    logEvent('server.stopped');
  }

  return {
    baseUrl: options.baseUrl,
    async start() {
      if (starting || listener || stopping) {
        throw new Error('The server has been started already. Call start() again once stop() has resolved.');
      }
      starting = open().finally(() => {
        starting = undefined;
      });
      return starting;
    },
    async stop() {
      stopping ??= end().finally(() => {
        stopping = undefined;
      });
      return stopping;
    },
  };
}

function checkStoreUrl(settings: Settings, url: string, options: OidcServerOptions): void {
  const needed = `a URL that begins with one of ${STORE_SCHEMES.join(' ')}`;
  const scheme = schemeOf(url);
  // Not the whole of it: it may have a password in it.
  if (scheme === undefined || !STORE_SCHEMES.includes(scheme)) {
    settings.refuse('store', url === '' ? 'nothing' : `a text that begins with '${scheme ?? url.slice(0, 3)}'`, needed);
  } else if (scheme === 'memory:' && isProduction(options)) {
    refuseMemory(settings, 'a database');
  }
}

function portOf(listener: Server): number | undefined {
  const address = listener.address();
  return typeof address === 'object' ? address?.port : undefined;
}

function listen(port: number, hosted: HostedServer): Promise<Server> {
  const handler = nodeHandler(hosted);
  const listener = createServer(TIMEOUTS, (req, res) => {
    // Of a server that is closing, a connection ends with the request that is under way on it.
    res.once('close', () => listener.listening || listener.closeIdleConnections());
    answer(handler, hosted, req, res).catch((error) => {
      logProblem('request.failed', error);
      if (!res.headersSent) send(res, json(500, { error: 'server_error' }));
    });
  });
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, () => resolve(listener.off('error', reject)));
  });
}

async function answer(
  handler: NodeHandler,
  { server }: HostedServer,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const [path] = addressOf(req).split('?');
  // Whether the process runs, as against whether it can do its work.
  if (path === '/health') send(res, json(200, { status: 'ok' }));
  else if (path === '/ready') send(res, await readiness(server));
  else if (!(await handler(req, res))) send(res, json(404, { error: 'not_found' }));
}

async function closed(listener: Server): Promise<void> {
  const end = new Promise((resolve) => listener.close(resolve));
  const limit = setTimeout(() => listener.closeAllConnections(), GRACE);
  await end;
  clearTimeout(limit);
}
