import { metadataUrl } from '../../lambda/authorizer/bearer';
import { resourceKey } from '../../lambda/provider/keys';
import type { Store } from '../../lambda/store/store';
import { DPOP_ALGORITHMS, type ResourceRecord, type ScopeRecord } from '../../lib/contract';
import { wrongSetting } from './settings';

/** One scope of an MCP server, and what people read about it. */
export interface ScopeSetting {
  /** A scope token (RFC 6749 section 3.3), for example `notes:read`. */
  readonly name: string;
  /** The words that the consent page shows, for example `Read your notes`; the name where absent. */
  readonly description?: string;
  /** The same words in other languages, by BCP 47 tag. */
  readonly descriptions?: Readonly<Record<string, string>>;
  /** Whether clients ask for it when they connect for the first time; true where absent. The others are for a step-up (`requireScope`). */
  readonly default?: boolean;
  /** Names of scopes of the same MCP server that this one includes. */
  readonly implies?: readonly string[];
}

export interface ProtectedResourceSettings {
  /** The origin of the MCP server. */
  readonly origin: string;
  /** Where the MCP endpoint is, as `/mcp`. */
  readonly path: string;
  /** Who issues its tokens. */
  readonly issuer: string;
  readonly scopes: readonly (string | ScopeSetting)[];
  /** Whether it takes tokens that are bound to a key (RFC 9449). */
  readonly dpop: boolean;
}

/** RFC 9728 section 3. */
const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** Scopes that mean something to OpenID Connect itself: of the authorization server, not of a resource. */
const OPENID_SCOPES = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'];

/** For an MCP server that tells its calls not apart. */
const WHOLE_SERVER: ScopeRecord = {
  name: 'mcp:use',
  description: 'Use this server on your behalf',
  descriptions: { de: 'Diesen Server in Ihrem Namen benutzen', fr: 'Utiliser ce serveur en votre nom' },
  default: true,
  implies: [],
};

/** An MCP server as the protected resource that it is (RFC 9728, RFC 8707). */
export class ProtectedResource {
  readonly record: ResourceRecord;
  readonly #issuer: string;
  readonly #dpop: boolean;

  /** @throws TypeError for scopes that cannot be registered */
  constructor({ origin, path, issuer, scopes, dpop }: ProtectedResourceSettings) {
    this.record = {
      identifier: `${origin}${path === '/' ? '' : path}`,
      scopes: scopeRecords(scopes),
      default: false,
    };
    this.#issuer = issuer;
    this.#dpop = dpop;
  }

  /** The `resource` that clients send, and the only `aud` of its tokens. */
  get identifier(): string {
    return this.record.identifier;
  }

  get metadataUrl(): string {
    return metadataUrl(this.identifier);
  }

  /** The form with the path, which clients try first (RFC 9728 section 3.1), and the root. */
  get metadataPaths(): string[] {
    return [...new Set([new URL(this.metadataUrl).pathname, METADATA_PATH])];
  }

  /** What clients ask for first, and every call needs. */
  get defaultScopes(): string[] {
    return this.record.scopes.filter((scope) => scope.default).map(({ name }) => name);
  }

  /** RFC 9728 section 2. */
  get metadata(): Readonly<Record<string, unknown>> {
    return {
      resource: this.identifier,
      authorization_servers: [this.#issuer],
      scopes_supported: this.defaultScopes,
      bearer_methods_supported: ['header'],
      ...(this.#dpop ? { dpop_signing_alg_values_supported: DPOP_ALGORITHMS } : {}),
    };
  }

  /** Lets the authorization server on the same store issue tokens for it. Whoever else does so beside it is not disturbed. */
  async register(store: Store): Promise<void> {
    await store.set(resourceKey(this.identifier), this.record);
  }
}

/** RFC 6749 section 3.3. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

function scopeRecords(settings: readonly (string | ScopeSetting)[]): readonly ScopeRecord[] {
  if (!Array.isArray(settings)) throw wrongSetting('scopesSupported', 'a list of scopes', settings);
  const scopes = settings
    .map((scope) => (typeof scope === 'string' ? { name: scope } : scope) as ScopeSetting)
    .filter((scope) => !OPENID_SCOPES.includes(scope?.name));
  for (const scope of scopes) {
    if (typeof scope?.name !== 'string' || !SCOPE_TOKEN.test(scope.name)) {
      throw wrongSetting('scopesSupported', 'scope tokens (RFC 6749 section 3.3), or objects with one as name', scope);
    }
    const unknown = (scope.implies ?? []).find((implied) => !scopes.some(({ name }) => name === implied));
    if (unknown !== undefined) {
      throw wrongSetting(`scopesSupported: implies of ${scope.name}`, 'other scopes of scopesSupported', unknown);
    }
  }
  if (new Set(scopes.map(({ name }) => name)).size < scopes.length) {
    throw wrongSetting(
      'scopesSupported',
      'each scope once',
      scopes.map(({ name }) => name),
    );
  }
  if (scopes.length === 0) return [WHOLE_SERVER];
  if (scopes.every((scope) => scope.default === false)) {
    throw wrongSetting('scopesSupported', 'at least one scope that clients ask for first', settings);
  }
  return scopes.map(({ name, description = name, descriptions, default: isDefault = true, implies = [] }) => ({
    name,
    description,
    ...(descriptions === undefined ? {} : { descriptions }),
    default: isDefault,
    implies,
  }));
}
