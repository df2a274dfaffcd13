import type { Provider } from 'oidc-provider';
import type { ResourceRecord, ServerConfig } from '../../lib/contract';
import type { Appearance } from '../../lib/page-appearance';
import type { Store } from '../store/store';
import { normalizeAuthorizationRequest, normalizeTokenRequest, OIDC_SCOPES } from './authorization-request';
import { BrowserBinding, clearCookie, clearOldest } from './browser-binding';
import { GuardedFetch } from './client-metadata/guarded-fetch';
import { MetadataDocuments } from './client-metadata/metadata-documents';
import { ClientPolicy } from './client-policy';
import { ConsentedGrants } from './consented-grant';
import { noContent, registrationPreflight, withCors } from './cors';
import { CurrentEngine } from './current-engine';
import { RESUME_COOKIE } from './engine';
import { answerFailure, isForPeople, renderError } from './failures';
import { holdBack } from './held-back';
import { formOf, type HttpRequest, type HttpResponse, isForm, json } from './http';
import type { KeySource } from './key-source';
import { Presentations } from './pages/presentation';
import { rootPage } from './pages/root-page';
import { Registration } from './registration';
import { RegistrationLimit } from './registration-limit';
import { TOKEN_EXCHANGE } from './resource-server';
import { Resources } from './resources';
import { METADATA_PATHS, routeAt } from './routes';
import { SignIn } from './sign-in';
import { within } from './time-limit';
import { answerRevocation, answerTokenRequest } from './token-endpoint';
import type { ClientSecret, PersonHook, Upstream } from './upstream';
import { type AccessTokenClaims, UpstreamAccess } from './upstream-access';
import { UpstreamRecheck } from './upstream-recheck';
import { type UpstreamAccessToken, UpstreamTokens } from './upstream-tokens';

export interface ServerContext {
  readonly config: ServerConfig;
  readonly store: Store;
  readonly keys: KeySource;
  readonly clientSecret: ClientSecret;
  /** How the pages look and speak, where the operator has said so. */
  readonly appearance?: Appearance;
  /** The path of this server's redirect URI at upstream; `/callback` where absent. */
  readonly callbackPath?: string;
  /** Protected resources beside those that the store has. */
  readonly resources?: readonly ResourceRecord[];
  /** Milliseconds until a resource that was registered in the store meanwhile is known; a minute where absent. */
  readonly resourcesCachedFor?: number;
  /** Origins of browsers that may use any client's tokens, beside those of its redirect URIs. */
  readonly corsOrigins?: readonly string[];
  /** What the Grant remembers of a person for those who share the store. */
  readonly remember?: PersonHook;
}

/** For how long clients may keep the metadata, in seconds. */
const METADATA_MAX_AGE = 300;

/** The authorization server: a request in, a response out, wherever it runs. */
export class AuthorizationServer {
  readonly #callbackPath: string;
  readonly #upstream: () => Promise<Upstream>;
  readonly #resources: Resources;
  readonly #upstreamAccess: UpstreamAccess;
  readonly #presentations: Presentations;
  readonly #signIn: SignIn;
  readonly #registration: Registration;
  readonly #current: CurrentEngine;

  constructor(private readonly context: ServerContext) {
    const { config, store, keys, clientSecret, appearance, resources, resourcesCachedFor, remember } = context;
    this.#resources = new Resources(store, resources, resourcesCachedFor);
    const guardedFetch = new GuardedFetch(new Set(config.clientMetadata.internalHosts));
    const policy = new ClientPolicy(config.registration.privateUseSchemes, config.dpop);
    this.#registration = new Registration(store, policy, new RegistrationLimit(store, config.registration));
    const documents = new MetadataDocuments({
      store,
      policy,
      guardedFetch,
      hosts: config.clientMetadata,
      lifetime: config.lifetimes.client,
    });
    this.#presentations = new Presentations(appearance);
    this.#callbackPath = context.callbackPath ?? '/callback';
    let loaded: Promise<Upstream> | undefined;
    // A token request has nothing to ask upstream, but once in a while: it does not wait for what asks to be loaded.
    const upstream = () => {
      loaded ??= import('./upstream.js').then(
        ({ Upstream }) => new Upstream(config.upstream, config.issuer + this.#callbackPath, clientSecret, remember),
      );
      return loaded;
    };
    this.#upstream = upstream;
    const upstreamTokens = new UpstreamTokens(store, upstream, () => this.#current.sealer);
    this.#upstreamAccess = new UpstreamAccess(store, this.#resources, upstreamTokens);
    const grants = new ConsentedGrants(store, upstreamTokens);
    this.#signIn = new SignIn(store, this.#resources, upstream, grants, this.#presentations);
    this.#current = new CurrentEngine(keys, {
      config,
      store,
      corsOrigins: context.corsOrigins ?? [],
      resources: this.#resources,
      recheck: new UpstreamRecheck(upstreamTokens, config.upstream.recheck),
      upstreamAccess: this.#upstreamAccess,
      documents,
      guardedFetch,
      renderError: (ctx, error) => renderError(ctx, error, this.#presentations.for(ctx.get('accept-language'))),
    });
  }

  /** Begins with what the first request would wait for; a failure shows at that request. */
  prepare(): void {
    this.#current.get().catch(() => {});
    this.#resources.catalogue().catch(() => {});
  }

  /**
   * Never throws.
   *
   * @param timeLimit milliseconds after which the answer is 503, whatever is still under way
   */
  async handle(request: HttpRequest, timeLimit: number): Promise<HttpResponse> {
    try {
      return await within(timeLimit, this.#answer(request));
    } catch (error) {
      const forPeople = request.path === this.#callbackPath || isForPeople(request.path);
      return answerFailure(error, request.path, forPeople, this.#presentations.for(request.headers['accept-language']));
    }
  }

  /** What keeps the server from answering, by part; undefined for a part that is well. The identity provider has to be found once. */
  async problems(): Promise<Readonly<Record<'store' | 'keys' | 'upstream', Error | undefined>>> {
    const problem = (work: Promise<unknown>) => work.then(() => undefined).catch((error: Error) => error);
    const [store, keys, upstream] = await Promise.all([
      problem(this.#resources.catalogue()),
      problem(this.#current.get()),
      problem(this.#upstream().then((upstream) => upstream.discover())),
    ]);
    return { store, keys, upstream };
  }

  /**
   * For an MCP server in this process: the upstream access token of a person, for the access token that a request has brought. What a resource
   * server elsewhere gets by token exchange (RFC 8693), under the same rules.
   *
   * @param claims of an access token that has been verified, for a protected resource with `upstreamTokens`
   * @returns a token that is good for a while, with `expiresIn` in seconds where upstream says how long
   * @throws NoUpstreamToken where there is none to be had: with `invalid_grant` the person has to sign in again
   * @throws UpstreamUnavailable, UnderWayError, StoreUnavailable where it cannot be had at the moment
   */
  async upstreamToken(claims: AccessTokenClaims): Promise<UpstreamAccessToken> {
    // The sealer comes with it.
    await this.#current.get();
    return this.#upstreamAccess.tokenFor(claims);
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    const { method, path } = request;
    if (method === 'OPTIONS' && !request.headers['access-control-request-method']) return noContent();
    if (!routeAt(path, this.#callbackPath)) return json(404, { error: 'not_found' });
    if (path === '/') return rootPage(this.#presentations.for(request.headers['accept-language']));
    if (path === '/token' && method === 'POST' && isForm(request)) return this.#token(request);
    const engine = await this.#current.get();
    const [, first, uid] = path.split('/');
    if (METADATA_PATHS.includes(path)) return this.#metadata(engine, request);
    if (path === '/jwks') return cached(await this.#current.call(engine, request), this.context.config.keySetRefresh);
    if (path === '/register') return this.#register(engine, request);
    if (path === '/authorize') return this.#authorize(engine, request);
    if (path === '/revoke' && method === 'POST') return this.#revoke(engine, request);
    if (path === this.#callbackPath) {
      return this.#signIn.callback(engine, request, (uid) => this.#conclude(engine, request, uid));
    }
    if (first === 'interaction' && uid) {
      return method === 'POST'
        ? this.#signIn.decide(engine, request, uid)
        : this.#signIn.showConsent(engine, request, uid);
    }
    return first === 'authorize' && uid ? this.#resume(engine, request, uid) : this.#current.call(engine, request);
  }

  /**
   * The engine's address for the end of a sign-in. It goes by the cookie, and takes the first of that name, which a sibling domain may have set
   * for a sign-in of its own: only the one that belongs to the address reaches it.
   */
  async #resume(engine: Provider, request: HttpRequest, uid: string): Promise<HttpResponse> {
    const own = `${RESUME_COOKIE}=${uid}`;
    const isHeld = request.headers.cookie?.split(/; */).includes(own);
    const headers = { ...request.headers, cookie: isHeld ? own : '' };
    return ended(await this.#current.call(engine, { ...request, headers }), request, uid);
  }

  /** What the browser would get at that address, without being sent there. */
  async #conclude(engine: Provider, request: HttpRequest, uid: string): Promise<HttpResponse> {
    const headers = { ...request.headers, cookie: `${RESUME_COOKIE}=${uid}` };
    const resume = { ...request, method: 'GET', path: `/authorize/${uid}`, query: '', headers, body: Buffer.alloc(0) };
    const response = ended(await this.#current.call(engine, resume), request, uid);
    // The address of this answer has upstream's code in it.
    return {
      ...response,
      headers: { ...response.headers, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
    };
  }

  async #authorize(engine: Provider, request: HttpRequest): Promise<HttpResponse> {
    const params = normalizeAuthorizationRequest(new URLSearchParams(request.query), await this.#resources.catalogue());
    const binding = BrowserBinding.create(params.get('client_id') ?? '');
    params.set('browser_binding', binding.hash);
    const response = await this.#current.call(engine, { ...request, query: params.toString() });
    const [, uid] = /^\/interaction\/([\w-]+)$/.exec(response.headers.location ?? '') ?? [];
    if (!uid) {
      return holdBack(engine, params, response, this.#presentations.for(request.headers['accept-language']));
    }
    const { cookie } = request.headers;
    const cookies = [...clearOldest(cookie), binding.setCookie(uid, this.context.config.lifetimes.interaction)];
    return { ...response, cookies: [...response.cookies, ...cookies] };
  }

  /** On a fresh instance the request's own records are read beside the key set and the resources. */
  async #token(request: HttpRequest): Promise<HttpResponse> {
    const form = formOf(request);
    const { config, store } = this.context;
    return answerTokenRequest(store, form, request.headers.authorization, config.lifetimes.client, async () => {
      const [engine, catalogue] = await Promise.all([this.#current.get(), this.#resources.catalogue()]);
      const body = Buffer.from(normalizeTokenRequest(form, catalogue).toString());
      return this.#current.call(engine, { ...request, body });
    });
  }

  async #revoke(engine: Provider, request: HttpRequest): Promise<HttpResponse> {
    if (!isForm(request)) return this.#current.call(engine, request);
    return answerRevocation(this.context.store, formOf(request), request.headers.authorization, () =>
      this.#current.call(engine, request),
    );
  }

  async #register(engine: Provider, request: HttpRequest): Promise<HttpResponse> {
    if (request.method === 'OPTIONS') return registrationPreflight();
    const admitted = await this.#registration.admit(request);
    return withCors('status' in admitted ? admitted : await this.#current.call(engine, admitted));
  }

  async #metadata(engine: Provider, request: HttpRequest): Promise<HttpResponse> {
    const isHead = request.method === 'HEAD';
    const response = await this.#current.call(engine, isHead ? { ...request, method: 'GET' } : request);
    if (response.status !== 200) return response;
    const metadata = JSON.parse(response.body.toString());
    const catalogue = await this.#resources.catalogue();
    metadata.scopes_supported = [...OIDC_SCOPES, ...catalogue.scopeNames];
    if (!catalogue.hasUpstreamTokens) {
      metadata.grant_types_supported = metadata.grant_types_supported.filter((name: string) => name !== TOKEN_EXCHANGE);
    }
    metadata.response_modes_supported = ['query'];
    // No login session, so none of its claims.
    metadata.claims_supported = metadata.claims_supported.filter((name: string) => name !== 'sid');
    const methods = metadata.token_endpoint_auth_methods_supported;
    metadata.revocation_endpoint_auth_methods_supported = methods;
    // Who does not authenticate is told nothing (RFC 7662 section 2.1).
    metadata.introspection_endpoint_auth_methods_supported = methods.filter((name: string) => name !== 'none');
    for (const endpoint of ['revocation', 'introspection']) {
      metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`] =
        metadata.token_endpoint_auth_signing_alg_values_supported;
    }
    const body = JSON.stringify(metadata);
    // Of what GET would send, where HEAD sends nothing (RFC 9110 section 8.6).
    const headers = { ...response.headers, 'content-length': String(Buffer.byteLength(body)) };
    return cached({ ...response, headers, body: isHead ? '' : body }, METADATA_MAX_AGE);
  }
}

/** A browser that has been sent to the client is bound to the sign-in no longer. */
function ended(response: HttpResponse, request: HttpRequest, uid: string): HttpResponse {
  if (!BrowserBinding.of(request.headers.cookie, uid)) return response;
  return { ...response, cookies: [...response.cookies, clearCookie(uid)] };
}

function cached(response: HttpResponse, seconds: number): HttpResponse {
  if (response.status !== 200) return response;
  return { ...response, headers: { ...response.headers, 'cache-control': `public, max-age=${seconds}` } };
}
