import { Token } from 'aws-cdk-lib';
import type { ResourceRecord } from './contract';
import { described, isText } from './refusal';
import { checkScopes, checkSpelling } from './resource-rules';
import { checkUrl, mustBe, refuse } from './validation';

/** One scope of a protected resource. */
export interface ResourceScope {
  /**
   * A scope token (RFC 6749 section 3.3), for example `notes:read`. Not one of OpenID Connect's own scopes.
   */
  readonly name: string;

  /**
   * The words that the consent page shows, for example `Read your notes`.
   */
  readonly description: string;

  /**
   * The same words in other languages, by BCP 47 tag, for example `{ de: 'Ihre Notizen lesen' }`. The consent page takes those of its own
   * language.
   *
   * @default - `description` in every language
   */
  readonly descriptions?: { [language: string]: string };

  /**
   * Whether this scope is asked for when a client asks for no scope.
   *
   * @default - the first scope where no scope of the resource says `true`
   */
  readonly default?: boolean;

  /**
   * Names of scopes of the same resource that this one includes.
   *
   * @default - none
   */
  readonly implies?: string[];
}

/** A protected resource (RFC 9728) that access tokens may be issued for. */
export interface ProtectedResourceProps {
  /**
   * The resource identifier (RFC 8707): an absolute URL without a fragment, `https` (or `http` on loopback), in its
   * canonical spelling. It is the `resource` that clients send and the `aud` of access tokens.
   */
  readonly identifier: string;

  /**
   * At least one scope.
   */
  readonly scopes: ResourceScope[];

  /**
   * What people read on the consent page.
   *
   * @default - the identifier's host
   */
  readonly name?: string;

  /**
   * Whether this resource is meant by requests without `resource` where several resources are registered. At most one resource.
   *
   * @default false
   */
  readonly default?: boolean;

  /**
   * Whether this resource may act for people at the upstream identity provider: it gets their upstream access tokens by token exchange (RFC 8693), with
   * the credential that `grantUpstreamTokens` makes. The consent page says so, and upstream's tokens are kept encrypted with what a person has granted.
   *
   * @default false
   */
  readonly upstreamTokens?: boolean;
}

/** The record of a protected resource, its defaults filled in. Throws where the props are wrong. */
export function resourceRecord(props: ProtectedResourceProps): ResourceRecord {
  checkIdentifier(props.identifier);
  checkResourceScopes(`'${props.identifier}'`, props.scopes);
  const asked = defaultScopes(props.scopes);
  return {
    identifier: props.identifier,
    name: props.name,
    scopes: props.scopes.map((scope) => ({
      name: scope.name,
      description: scope.description,
      descriptions: scope.descriptions,
      default: asked.includes(scope.name),
      implies: scope.implies ?? [],
    })),
    default: props.default ?? false,
    upstreamTokens: props.upstreamTokens || undefined,
  };
}

/** The names of the scopes that are asked for when a client asks for none. */
export function defaultScopes(scopes: readonly ResourceScope[]): string[] {
  const marked = scopes.filter((scope) => scope.default);
  return (marked.length > 0 ? marked : scopes.slice(0, 1)).map((scope) => scope.name);
}

/** An identifier as the authorization server compares it: to a client it is the same with and without slashes at its end. */
export function comparable(identifier: string): string {
  if (Token.isUnresolved(identifier)) {
    return identifier.replace(/\/+$/, '');
  }
  const { origin, pathname, search } = new URL(identifier);
  return `${origin}${pathname.replace(/\/+$/, '')}${search}`;
}

/** Refuses what is no resource identifier, or not in its one spelling. */
export function checkIdentifier(identifier: string): void {
  const url = checkUrl('identifier', identifier);
  if (url) checkSpelling(mustBe, 'identifier', identifier, url);
}

/** @param of the resource, in words */
export function checkResourceScopes(of: string, scopes: readonly ResourceScope[]): void {
  if (!Array.isArray(scopes) || scopes.length === 0) {
    refuse(`scopes of ${of} must list at least one scope, got ${Array.isArray(scopes) ? 'none' : described(scopes)}.`);
  }
  checkScopes(mustBe, `scopes of ${of}`, scopes);
  for (const { name, description } of scopes) {
    if (!isText(description)) {
      refuse(`scope '${name}' must have a description: the words that the consent page shows.`);
    }
  }
}
