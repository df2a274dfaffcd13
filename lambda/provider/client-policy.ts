import { isLoopback } from '../../lib/loopback';

/** Grants that a client may register; others that it names are ignored. */
const GRANT_TYPES = new Set(['authorization_code', 'refresh_token']);
const AUTH_METHODS = new Set(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']);
/**
 * Private-use schemes of known MCP clients. Any other must be a reverse domain name (RFC 8252 section 7.1): a list of bad
 * schemes would miss one, for what runs code or opens a door into the operating system differs by machine.
 */
const KNOWN_SCHEMES = new Set(
  [
    'claude',
    'cursor',
    'goose',
    'jetbrains',
    'mcp',
    'raycast',
    'vscode',
    'vscode-insiders',
    'warp',
    'windsurf',
    'zed',
  ].map((scheme) => `${scheme}:`),
);
const LONGEST_URI = 2048;
const MOST_URIS = 20;

/** Metadata that a client may register (RFC 7591 section 2); all else is neither stored nor answered. */
const KEPT = new Set([
  'client_name',
  'client_uri',
  'grant_types',
  'logo_uri',
  'policy_uri',
  'redirect_uris',
  'response_types',
  'software_id',
  'software_version',
  'token_endpoint_auth_method',
  'tos_uri',
]);

/** Those that are no text. */
const LISTS = new Set(['grant_types', 'redirect_uris', 'response_types']);

/** Pages for people; one that is not https is left out. */
const LINKS = new Set(['client_uri', 'logo_uri', 'policy_uri', 'tos_uri']);

/** Seconds for which a client is remembered that has not received a token yet: anyone may name clients without end. */
export const UNUSED_LIFETIME = 24 * 60 * 60;

export type Metadata = Record<string, unknown>;

/** Metadata that is not taken, as RFC 7591 section 3.2.2 has it. */
export class ClientMetadataError extends Error {
  override name = 'ClientMetadataError';

  constructor(
    readonly code: 'invalid_redirect_uri' | 'invalid_client_metadata',
    description: string,
  ) {
    super(description);
  }
}

/** The policy for every client, however it comes to be known. */
export class ClientPolicy {
  /**
   * @param privateUseSchemes the only ones in redirect URIs; absent: those of known MCP clients, and reverse domain names
   * @param dpop whether tokens may be bound to a key (RFC 9449)
   */
  constructor(
    private readonly privateUseSchemes?: readonly string[],
    private readonly dpop = false,
  ) {}

  /**
   * Takes a registration for what it is worth: what is merely odd is put right, so that real clients get in, and what is
   * dangerous is refused. Runs on the body of a registration request, before the engine validates it.
   *
   * @throws ClientMetadataError
   */
  normalizeRegistration(body: Metadata): Metadata {
    const metadata = this.#normalize(body);
    const { token_endpoint_auth_method: method } = metadata;
    if (typeof method === 'string' && !AUTH_METHODS.has(method)) {
      throw invalidMetadata(`token_endpoint_auth_method must be one of ${[...AUTH_METHODS].join(', ')}`);
    }
    return method === 'private_key_jwt' ? { ...metadata, ...publicKeysOf(body) } : metadata;
  }

  /**
   * The same for a Client ID Metadata Document, which is public: it shares no secret and must say who it describes
   * (draft-ietf-oauth-client-id-metadata-document-00 section 4.1), and to people too (MCP 2026-07-28, client registration).
   *
   * @param clientId the URL that the document was fetched from
   * @throws ClientMetadataError
   */
  normalizeMetadataDocument(document: Metadata, clientId: string): Metadata {
    if (document.client_id !== clientId) throw invalidMetadata('client_id must be its own address');
    for (const name of ['client_secret', 'client_secret_expires_at']) {
      if (isGiven(document[name])) throw invalidMetadata(`${name} must not be in a public document`);
    }
    const metadata = this.#normalize(document);
    if (typeof metadata.client_name !== 'string' || metadata.client_name.trim() === '') {
      throw invalidMetadata('client_name must be a name for people');
    }
    return { ...metadata, ...documentAuthentication(document), client_id: clientId };
  }

  /** What holds for every client, however it comes to be known. */
  #normalize(given: Metadata): Metadata {
    const metadata: Metadata = {};
    for (const [name, value] of Object.entries(given)) {
      if (!KEPT.has(name) || !isGiven(value)) continue;
      if (LINKS.has(name) && !isHttpsUrl(value)) continue;
      // Nothing else is nested, so that nobody's brackets are followed down until the stack ends.
      if (typeof value === 'object' && !LISTS.has(name)) {
        throw invalidMetadata(`${name} must be a string`);
      }
      metadata[name] = value;
    }

    const uris = this.#usableRedirectUris(metadata.redirect_uris);
    const native = uris.some(isNative);
    // The engine takes https on a loopback address for web clients only.
    metadata.redirect_uris = native ? uris.filter((uri) => isNative(uri) || !isLoopback(new URL(uri).hostname)) : uris;
    metadata.application_type = native ? 'native' : 'web';

    if (Array.isArray(metadata.grant_types)) {
      metadata.grant_types = metadata.grant_types.filter((grant) => GRANT_TYPES.has(grant));
      if (!(metadata.grant_types as string[]).includes('authorization_code')) delete metadata.grant_types;
    } else if (metadata.grant_types !== undefined) {
      throw invalidMetadata('grant_types must be an array');
    }
    // Unlike RFC 7591's default, a client that says nothing gets refresh tokens: MCP clients that forget to ask fail daily.
    metadata.grant_types ??= ['authorization_code', 'refresh_token'];
    metadata.response_types = ['code'];
    // A client that says so gets no bearer token, even where a request of its lacks the proof (RFC 9449 section 5.2).
    if (this.dpop && given.dpop_bound_access_tokens === true) metadata.dpop_bound_access_tokens = true;
    return metadata;
  }

  #usableRedirectUris(value: unknown): string[] {
    if (!Array.isArray(value) || value.length === 0) {
      throw invalidRedirectUri('redirect_uris must be a non-empty array');
    }
    if (value.length > MOST_URIS) {
      throw invalidRedirectUri(`redirect_uris must have at most ${MOST_URIS} members`);
    }
    const problems = value.map((uri) => this.problemOfRedirectUri(uri));
    const usable = value.filter((_, i) => problems[i] === undefined) as string[];
    if (usable.length === 0) throw invalidRedirectUri(`no usable redirect URI: ${problems[0]}`);
    return usable;
  }

  #isAllowedScheme(protocol: string): boolean {
    if (protocol === 'https:' || protocol === 'http:') return true;
    if (this.privateUseSchemes) return this.privateUseSchemes.includes(protocol.slice(0, -1));
    const isReverseDomain = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+:$/.test(protocol);
    return KNOWN_SCHEMES.has(protocol) || isReverseDomain;
  }

  /** Why a redirect URI cannot be used, or undefined. */
  problemOfRedirectUri(value: unknown): string | undefined {
    if (typeof value !== 'string') return 'not a string';
    if (value.length > LONGEST_URI) return `longer than ${LONGEST_URI} characters`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (/[\u0000-\u0020\u007f-\uffff\\*<>"]/.test(value)) return 'has a character that a URI must not have';
    const url = URL.parse(value);
    if (!url) return 'not an absolute URI';
    if (url.hash || value.includes('#')) return 'has a fragment (RFC 6749 section 3.1.2)';
    if (url.username || url.password) return 'has user information';
    if (url.protocol === 'http:' && !isLoopback(url.hostname)) return 'http is for loopback addresses only';
    if (!this.#isAllowedScheme(url.protocol)) {
      return `the scheme ${url.protocol.slice(0, -1)} is not one that is allowed here`;
    }
    // A browser and a validator must not disagree about where a path leads.
    if (/(^|\/|%2f)(\.|%2e){1,2}(\/|%2f|$)/i.test(value.slice(url.protocol.length).replace(/[?].*$/, ''))) {
      return 'has a dot segment';
    }
    return undefined;
  }
}

/**
 * How a document's client may authenticate: by keys of its own, without (`none`), or either way. A shared secret it cannot
 * have, for the document is public.
 */
function documentAuthentication(document: Metadata): Metadata {
  const { token_endpoint_auth_method: method, token_endpoint_auth_methods_supported: offered } = document;
  if (typeof method === 'string' && method.startsWith('client_secret')) {
    throw invalidMetadata('token_endpoint_auth_method must not be that of a shared secret');
  }
  const methods = [isGiven(method) ? method : 'none', ...(Array.isArray(offered) ? offered : [])];
  const mayBePublic = methods.includes('none');
  if (methods.includes('private_key_jwt') && (isGiven(document.jwks) || isGiven(document.jwks_uri))) {
    const keys = publicKeysOf(document);
    return {
      ...keys,
      token_endpoint_auth_method: 'private_key_jwt',
      ...(mayBePublic ? { [MAY_BE_PUBLIC]: true } : {}),
    };
  }
  if (mayBePublic) return { token_endpoint_auth_method: 'none' };
  throw invalidMetadata('token_endpoint_auth_method must be none, or private_key_jwt with keys');
}

/** Exactly one of both (RFC 7591 section 2). */
function publicKeysOf({ jwks, jwks_uri: uri }: Metadata): Metadata {
  if (isGiven(jwks) && isGiven(uri)) throw invalidMetadata('jwks and jwks_uri must not both be given');
  if (isGiven(uri) && !isHttpsUrl(uri)) throw invalidMetadata('jwks_uri must be an https URL');
  if (isGiven(uri)) return { jwks_uri: uri };
  return { jwks: isGiven(jwks) ? flatKeySet(jwks) : undefined };
}

/** A key set and nothing beside it, whose members are texts and lists of texts (RFC 7517 sections 4 and 5). */
function flatKeySet(jwks: unknown): Metadata {
  const { keys } = Object(jwks) as { keys?: unknown };
  const isPlain = (value: unknown) => typeof value !== 'object' || value === null;
  const isFlat = (value: unknown) => isPlain(value) || (Array.isArray(value) && value.every(isPlain));
  if (!Array.isArray(keys) || !keys.every((key) => Object.values(Object(key)).every(isFlat))) {
    throw invalidMetadata('jwks must be a JSON Web Key Set');
  }
  return { keys };
}

/** On the metadata of a client with keys that may do without them. */
const MAY_BE_PUBLIC = 'may_be_public';

/**
 * A client that may authenticate either way, as ChatGPT's may, is the one that a request presents.
 *
 * @param byAssertion whether the request has a client assertion (RFC 7523 section 2.2)
 */
export function asPresented({ [MAY_BE_PUBLIC]: mayBePublic, ...metadata }: Metadata, byAssertion: boolean): Metadata {
  if (byAssertion || !mayBePublic) return metadata;
  const { jwks: _, jwks_uri: __, ...rest } = metadata;
  return { ...rest, token_endpoint_auth_method: 'none' };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function isHttpsUrl(value: unknown): boolean {
  return typeof value === 'string' && value.length <= LONGEST_URI && URL.parse(value)?.protocol === 'https:';
}

/** A redirect URI that only works on the person's own machine: loopback (RFC 8252 section 7.3) or a private-use scheme (section 7.1). */
function isNative(uri: string): boolean {
  return new URL(uri).protocol !== 'https:';
}

function invalidRedirectUri(description: string): Error {
  return new ClientMetadataError('invalid_redirect_uri', description);
}

function invalidMetadata(description: string): Error {
  return new ClientMetadataError('invalid_client_metadata', description);
}
