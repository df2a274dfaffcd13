import type { RequestHandler, Router } from 'express';
import { InvalidTokenError } from '../../lambda/authorizer/invalid-token-error';
import { type KeySetCache, remoteKeySet } from '../../lambda/authorizer/remote-key-set';
import { verifyToken } from '../../lambda/authorizer/verify-token';
import { clientKey } from '../../lambda/provider/keys';
import { logProblem } from '../../lambda/provider/log';
import type { Store } from '../../lambda/store/store';
import { described } from '../../lib/refusal';
import { storeFor } from '../../stores/store-for';
import { isGroup } from '../check-groups';
import { checkOrigin } from '../check-options';
import { checkKnown } from '../known-options';
import type { ScopeOption } from '../options';
import { registerResource } from '../register-resource';
import { Settings } from '../settings';
import type { AuthInfo } from './caller';
import { openToBrowsers } from './cors';
import { loadExpress } from './express';
import { findCaller } from './find-caller';
import { metadataRoute } from './metadata-route';
import { checkMcpServer, ProtectedResource } from './protected-resource';
import { invalidTokenError } from './sdk-errors';

export interface McpAuthProviderOptions {
  /** The authorization server: its issuer identifier. */
  oidcBaseUrl: string;
  /**
   * The store of the authorization server: a Keyv on the same database. The MCP server is registered there, and finds there who is behind
   * an access token.
   */
  store: object;
  /** The origin of the MCP server, as clients reach it. */
  mcpServerBaseUrl: string;
  /** Where its MCP endpoint is; `/mcp` where absent. */
  mcpEndpointPath?: string;
  /** What people read of it on the consent page; the host of `mcpServerBaseUrl` where absent. */
  name?: string;
  /** Its scopes, and what people read about them; one for the whole server where absent. OpenID Connect's own are left out. */
  scopesSupported?: readonly (string | ScopeOption)[];
  /** How the keys of the authorization server are kept, in milliseconds; see `KeySetCache`. */
  jwksCacheOptions?: KeySetCache;
  /** That no more than one process with an authorization server uses the store, where its adapter has no conditional write. */
  singleProcess?: boolean;
  /** Receives the error for which a token was refused. */
  onVerifyError?: (error: unknown) => void;
}

/** What `ProxyOAuthServerProvider` of `@modelcontextprotocol/sdk` is made of. */
export interface ProxyOAuthServerProviderConfig {
  endpoints: { authorizationUrl: string; tokenUrl: string; revocationUrl: string; registrationUrl: string };
  /**
   * Verifies an access token (RFC 9068 section 4), for this MCP server alone.
   *
   * @throws InvalidTokenError of the SDK for a token that is not valid; any other error where that cannot be found out
   */
  verifyAccessToken: (token: string) => Promise<AuthInfo>;
  /** A client as it has registered, without its secret, which the store does not have. */
  getClient: (clientId: string) => Promise<ClientInfo | undefined>;
}

/** A client's metadata (RFC 7591 section 2). */
export interface ClientInfo {
  client_id: string;
  redirect_uris: string[];
  client_name?: string;
  client_uri?: string;
  logo_uri?: string;
  grant_types?: string[];
  response_types?: string[];
  token_endpoint_auth_method?: string;
}

export interface McpAuthProviderResult {
  proxyOAuthServerProviderConfig: ProxyOAuthServerProviderConfig;
  /**
   * To be mounted at the root, before the MCP endpoint: the protected resource metadata (RFC 9728), what browsers need to ask the MCP
   * endpoint (CORS), and `/health`.
   */
  mcpRoutes: Router;
  /** For `requireBearerAuth`: where the metadata is. */
  resourceMetadataUrl: string;
}

/** How often the registration is written anew, in milliseconds: a store forgets what is older than 400 days. */
const REGISTER_EVERY = 24 * 60 * 60 * 1000;

/**
 * Puts an MCP server under the protection of an authorization server that runs beside it (`createOidcServer`, `mcp-oidc-auth serve`), for
 * use with `requireBearerAuth` of the official SDK.
 *
 * @throws SettingsError naming every setting that is missing or wrong
 */
export function createMcpAuthProvider(options: McpAuthProviderOptions): McpAuthProviderResult {
  const { name, mcpEndpointPath: path = '/mcp', scopesSupported: scopes = [], jwksCacheOptions } = options;
  const { issuer, origin, store } = checked(options);
  const resource = new ProtectedResource({ origin, path, name, issuer, scopes, dpop: false });
  const keySet = remoteKeySet(`${issuer}/jwks`, jwksCacheOptions);
  const registered = keptUp(() => registerResource(store, resource.option));

  async function verifyAccessToken(token: string): Promise<AuthInfo> {
    try {
      const verified = await verifyToken(token, { issuer, audience: resource.identifier, keySet });
      const { auth } = await findCaller(token, verified, store);
      return auth;
    } catch (error) {
      options.onVerifyError?.(error);
      throw error instanceof InvalidTokenError ? await invalidTokenError(error.message, error) : error;
    }
  }

  const mcpRoutes = loadExpress().Router();
  mcpRoutes.get('/health', (_req, res) => {
    res.json({ status: 'ok', timestamp: new Date().toISOString() });
  });
  mcpRoutes.all(resource.metadataPaths, openToBrowsers(['GET', 'HEAD']), metadataRoute(resource, registered));
  mcpRoutes.all(path, openToBrowsers(['GET', 'POST', 'DELETE']), oneAuthorization(resource));
  return {
    proxyOAuthServerProviderConfig: {
      endpoints: {
        authorizationUrl: `${issuer}/authorize`,
        tokenUrl: `${issuer}/token`,
        revocationUrl: `${issuer}/revoke`,
        registrationUrl: `${issuer}/register`,
      },
      verifyAccessToken,
      async getClient(clientId) {
        const [record] = await store.read([clientKey(clientId)]);
        return record && clientInfoOf(clientId, record.value);
      },
    },
    mcpRoutes,
    resourceMetadataUrl: resource.metadataUrl,
  };
}

function checked(options: McpAuthProviderOptions): { issuer: string; origin: string; store: Store } {
  const { mcpEndpointPath = '/mcp', scopesSupported = [], singleProcess = false } = options;
  const { name, jwksCacheOptions, onVerifyError } = options;
  const settings = new Settings();
  checkKnown(settings, 'provider', '', options);
  const issuer = checkOrigin(settings, 'oidcBaseUrl', options.oidcBaseUrl);
  const server = checkOrigin(settings, 'mcpServerBaseUrl', options.mcpServerBaseUrl);
  checkMcpServer(settings, mcpEndpointPath, name, scopesSupported);
  checkCaching(settings, jwksCacheOptions);
  settings.checkBoolean('singleProcess', singleProcess);
  if (onVerifyError !== undefined && typeof onVerifyError !== 'function') {
    settings.refuse('onVerifyError', described(onVerifyError), 'a function');
  }
  let store: Store | undefined;
  try {
    store = storeFor(options.store, { singleProcess });
  } catch (error) {
    settings.refuse(
      'store',
      described(options.store),
      `the one of the authorization server: ${(error as Error).message}`,
    );
  }
  settings.done();
  return { issuer: issuer!.origin, origin: server!.origin, store: store! };
}

function checkCaching(settings: Settings, options: unknown): void {
  if (!isGroup(settings, 'jwksCacheOptions', options)) return;
  for (const [name, given] of Object.entries(options as KeySetCache)) {
    const isTime = given === undefined || (typeof given === 'number' && given >= 0);
    if (!isTime) settings.refuse(`jwksCacheOptions.${name}`, described(given), 'milliseconds');
  }
}

/** Writes at once, and anew when it is asked for and is due. Resolves when it has been written. */
function keptUp(write: () => Promise<void>): () => Promise<void> {
  let begun = Number.NEGATIVE_INFINITY;
  let written: Promise<void> = Promise.resolve();
  const keepUp = () => {
    if (Date.now() - begun > REGISTER_EVERY) {
      begun = Date.now();
      written = write();
      written.catch((error) => {
        begun = Number.NEGATIVE_INFINITY;
        logProblem('resource.registration_failed', error);
      });
    }
    return written;
  };
  keepUp().catch(() => {});
  return keepUp;
}

/** Of two tokens nobody knows which is meant, and Node.js shows the first alone to who comes after. */
function oneAuthorization(resource: ProtectedResource): RequestHandler {
  return (req, res, next) => {
    if ((req.headersDistinct.authorization ?? []).length < 2) return next();
    const description = 'There has to be one Authorization header.';
    const challenge = `Bearer error="invalid_token", error_description="${description}", resource_metadata="${resource.metadataUrl}"`;
    res.status(401).set('WWW-Authenticate', challenge).json({ error: 'invalid_token', error_description: description });
  };
}

/** @param value what the store has: the metadata, beside other things where a document describes the client */
function clientInfoOf(clientId: string, value: unknown): ClientInfo {
  const { metadata: ofDocument, ...registered } = value as Readonly<Record<string, unknown>>;
  const stored = (ofDocument ?? registered) as Readonly<Record<string, unknown>>;
  const names = [
    'client_name',
    'client_uri',
    'logo_uri',
    'grant_types',
    'response_types',
    'token_endpoint_auth_method',
  ];
  const metadata = Object.fromEntries(names.filter((name) => name in stored).map((name) => [name, stored[name]]));
  return { ...metadata, client_id: clientId, redirect_uris: stored.redirect_uris as string[] };
}
