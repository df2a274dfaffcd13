import { setTimeout as delay } from 'node:timers/promises';
import type { Express, Request, RequestHandler, Response } from 'express';
import { remoteKeySet } from '../../lambda/authorizer/remote-key-set';
import { logProblem } from '../../lambda/provider/log';
import { StoreUnavailable } from '../../lambda/store/store';
import { checkList } from '../../lib/refusal';
import { checkedStore, type HostedServer, hostedServer } from '../hosted-server';
import { checkKnown } from '../known-options';
import type { HostOptions, ScopeOption } from '../options';
import { Settings } from '../settings';
import { authentication } from './authentication';
import { authorizationServer } from './authorization-server';
import { openToBrowsers } from './cors';
import { loadExpress } from './express';
import { handlerFailure } from './handler-failure';
import { jsonBody } from './json-body';
import { metadataRoute } from './metadata-route';
import { checkMcpServer, identifierOf, ProtectedResource } from './protected-resource';

export interface McpExpressOptions extends HostOptions {
  /**
   * What people read of the MCP server on the consent page.
   *
   * @default the host of `baseUrl`
   */
  readonly name?: string;

  /**
   * Where the MCP endpoint is.
   *
   * @default '/mcp'
   */
  readonly mcpEndpointPath?: string;

  /**
   * What clients may ask for. A mere name is asked for at the first connection, and needed by every call, and so is an object with
   * `default: true`; the others are for a step-up. OpenID Connect's own scopes are left out.
   *
   * @default one scope, `mcp:use`
   */
  readonly scopesSupported?: readonly (string | ScopeOption)[];

  /**
   * Whether the MCP server may act for people at the identity provider, by `getIdpTokens`. The consent page says so.
   *
   * @default false
   */
  readonly upstreamTokens?: boolean;

  /**
   * Runs before everything else, for example to write a log. What reads bodies must leave those of the authorization server alone.
   *
   * @default none
   */
  readonly customMiddleware?: readonly RequestHandler[];
}

/**
 * Answers the calls of one person's client. `req.user` is the person, `req.auth` the verified token, `req.body` the JSON that was sent.
 * Where it throws an InsufficientScopeError (`requireScope`) before it has answered, the client is told which scopes to ask for.
 * Any other error is for the log alone: the client gets 500.
 */
export type McpRequestHandler = (req: Request, res: Response) => unknown;

export interface McpExpress {
  /** Answers for the authorization server and for the metadata of the MCP server. Further routes may be added. */
  readonly app: Express;
  /** Puts the handler at the MCP endpoint, for every method. To be called once. */
  readonly handleMcpRequest: (handler: McpRequestHandler) => void;
}

/** Milliseconds after which a start is tried again that the store has kept from succeeding. */
const RETRY = 5_000;

/**
 * An Express app with an MCP endpoint, and in it the authorization server that protects it.
 *
 * @throws SettingsError naming every setting that is missing or wrong
 */
export function setupMcpExpress(options: McpExpressOptions): McpExpress {
  const {
    name,
    mcpEndpointPath = '/mcp',
    scopesSupported = [],
    customMiddleware = [],
    upstreamTokens = false,
  } = options;
  const { dpop = false, trustedProxies = 0, resources } = options;
  const settings = new Settings();
  checkKnown(settings, 'express', '', options);
  checkMcpServer(settings, mcpEndpointPath, name, scopesSupported);
  settings.checkBoolean('upstreamTokens', upstreamTokens);
  const isHandler = (handler: unknown) => typeof handler === 'function';
  checkList(settings.refuse, 'customMiddleware', customMiddleware, isHandler, 'functions (req, res, next)');
  const issuer = URL.parse(options.baseUrl)?.origin ?? '';
  const store = checkedStore(options, settings, identifierOf(issuer, mcpEndpointPath));
  const resource = new ProtectedResource({
    origin: issuer,
    path: mcpEndpointPath,
    name,
    issuer,
    scopes: scopesSupported,
    dpop,
  });
  // For a request that names no resource, as older clients do, this MCP server is meant.
  const isAnother = Array.isArray(resources) && resources.some((other) => other?.default);
  const own = { ...resource.option, upstreamTokens, default: !isAnother };
  const hosted = hostedServer(options, store, settings, own);
  start(hosted);

  const express = loadExpress();
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', trustedProxies);
  const openMcp = openToBrowsers(['GET', 'POST', 'DELETE']);
  app.all(mcpEndpointPath, openMcp);
  if (customMiddleware.length > 0) app.use(...customMiddleware);
  app.get('/health', (_req, res) => {
    res.json({ status: 'ok', timestamp: new Date().toISOString() });
  });
  app.all(resource.metadataPaths, openToBrowsers(['GET', 'HEAD']), metadataRoute(resource));
  app.use(authorizationServer(hosted, ['/']));

  const keySet = remoteKeySet(`${issuer}/jwks`, {}, () => ownKeys(hosted));
  const { server } = hosted;
  const authenticate = authentication({ resource, issuer, keySet, server, store });
  let handled = false;
  return {
    app,
    handleMcpRequest(handler) {
      if (handled) throw new Error('handleMcpRequest has been called already; there is one MCP endpoint.');
      handled = true;
      const handle: RequestHandler = async (req, res) => {
        await handler(req, res);
      };
      app.all(mcpEndpointPath, authenticate, jsonBody(express), handle, handlerFailure(resource.needed));
    },
  };
}

/** While the store is down requests are answered with 503, so that nobody has to start the process again. Anything else ends it. */
async function start(hosted: HostedServer): Promise<void> {
  for (;;) {
    try {
      return await hosted.start();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      logProblem('server.not_ready', error, { part: 'store' });
      await delay(RETRY, undefined, { ref: false });
    }
  }
}

/** As they are published, without a way over the network. */
async function ownKeys({ server }: HostedServer): Promise<globalThis.Response> {
  const empty = { query: '', headers: {}, body: Buffer.alloc(0), sourceIp: '127.0.0.1' };
  const { status, headers, body } = await server.handle({ ...empty, method: 'GET', path: '/jwks' }, 5_000);
  return new globalThis.Response(body.toString(), { status, headers: { ...headers } });
}
