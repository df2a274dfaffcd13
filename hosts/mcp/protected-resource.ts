import { metadataUrl, type Needed } from '../../lambda/authorizer/bearer-error';
import { DPOP_ALGORITHMS, type ResourceRecord } from '../../lib/contract';
import { described } from '../../lib/refusal';
import { checkName, checkScopeOptions } from '../check-resources';
import type { ResourceOption, ScopeOption } from '../options';
import { isOpenIdScope, resourceRecord } from '../resource-record';
import type { Settings } from '../settings';
import { isTaken, TAKEN_PATHS } from '../taken-paths';

export interface ProtectedResourceSettings {
  /** The origin of the MCP server. */
  readonly origin: string;
  /** Where the MCP endpoint is, as `/mcp`. */
  readonly path: string;
  /** What people read on the consent page. */
  readonly name?: string;
  /** Who issues its tokens. */
  readonly issuer: string;
  /** As `scopesSupported`. */
  readonly scopes: readonly (string | ScopeOption)[];
  /** Whether it takes tokens that are bound to a key (RFC 9449). */
  readonly dpop: boolean;
}

/** RFC 9728 section 3. */
const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** An MCP server as the protected resource that it is (RFC 9728, RFC 8707). */
export class ProtectedResource {
  readonly option: ResourceOption;
  readonly #record: ResourceRecord;
  readonly #issuer: string;
  readonly #dpop: boolean;

  constructor({ origin, path, name, issuer, scopes, dpop }: ProtectedResourceSettings) {
    this.option = {
      identifier: identifierOf(origin, path),
      ...(name === undefined ? {} : { name }),
      scopes: scopeOptions(scopes),
    };
    this.#record = resourceRecord(this.option);
    this.#issuer = issuer;
    this.#dpop = dpop;
  }

  /** The `resource` that clients send, and the only `aud` of its tokens. */
  get identifier(): string {
    return this.option.identifier;
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
    return this.#record.scopes.filter((scope) => scope.default).map(({ name }) => name);
  }

  /** What every call needs. */
  get needed(): Needed {
    return { audience: this.identifier, scopes: this.defaultScopes, dpop: this.#dpop };
  }

  /** RFC 9728 section 2. */
  get metadata(): Readonly<Record<string, unknown>> {
    const { name } = this.option;
    return {
      resource: this.identifier,
      authorization_servers: [this.#issuer],
      scopes_supported: this.defaultScopes,
      bearer_methods_supported: ['header'],
      ...(this.#dpop ? { dpop_signing_alg_values_supported: DPOP_ALGORITHMS } : {}),
      ...(name === undefined ? {} : { resource_name: name }),
    };
  }
}

/** The `resource` of an MCP server, by its origin and the path of its MCP endpoint. */
export function identifierOf(origin: string, path: string): string {
  return `${origin}${path === '/' ? '' : path}`;
}

/** Notes what is wrong with where an MCP server is, what it is called and what it asks for. */
export function checkMcpServer(settings: Settings, path: unknown, name: unknown, scopes: unknown): void {
  if (typeof path !== 'string' || !/^(\/|(\/[A-Za-z0-9._~-]+)+)$/.test(path)) {
    settings.refuse('mcpEndpointPath', described(path), 'a path of literal segments, for example /mcp');
  } else if (path !== '/' && isTaken(path)) {
    settings.refuse(
      'mcpEndpointPath',
      described(path),
      `a path that is for nothing else, for example /mcp, and not at ${TAKEN_PATHS}`,
    );
  }
  checkName(settings, 'name', name);
  const areScopes =
    Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string' || typeof scope?.name === 'string');
  if (areScopes) checkScopeOptions(settings, 'scopesSupported', scopeOptions(scopes));
  else
    settings.refuse('scopesSupported', described(scopes), 'a list of scopes, each its name or { name, description }');
}

/** A mere name is asked for at the first connection; OpenID Connect's own scopes are the authorization server's business. */
function scopeOptions(scopes: readonly (string | ScopeOption)[]): ScopeOption[] {
  return scopes
    .map((scope) => (typeof scope === 'string' ? { name: scope, default: true } : scope))
    .filter(({ name }) => !isOpenIdScope(name));
}
