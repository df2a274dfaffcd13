import { RESOURCES_PARTITION, type ResourceRecord, type ScopeRecord } from '../../lib/contract';
import type { Store } from '../store/store';

/** The protected resources that tokens may be issued for. */
export class Resources {
  #cached: { readonly at: number; readonly catalogue: Promise<Catalogue> } | undefined;

  /**
   * @param own beside those that the store has
   * @param cachedFor milliseconds; on AWS they are registered at deploy, so a minute's delay is never noticed
   */
  constructor(
    private readonly store: Store,
    private readonly own: readonly ResourceRecord[] = [],
    private readonly cachedFor = 60_000,
  ) {}

  catalogue(): Promise<Catalogue> {
    // Of either sign: a clock that was set back does not make it last until that time comes again.
    if (!this.#cached || Math.abs(Date.now() - this.#cached.at) > this.cachedFor) {
      const catalogue = this.store
        .list(RESOURCES_PARTITION)
        .then((records) => new Catalogue([...records.map(({ value }) => value as ResourceRecord), ...this.own]));
      this.#cached = { at: Date.now(), catalogue };
      catalogue.catch(() => {
        this.#cached = undefined;
      });
    }
    return this.#cached.catalogue;
  }
}

export class Catalogue {
  readonly resources: readonly ResourceRecord[];
  readonly #byCanonical: ReadonlyMap<string, ResourceRecord>;

  /** @param resources of several records of one resource the last counts */
  constructor(resources: readonly ResourceRecord[]) {
    this.#byCanonical = new Map(resources.map((resource) => [canonical(resource.identifier) ?? '', resource]));
    this.resources = [...this.#byCanonical.values()];
  }

  /** The resource that `identifier` spells, in any equivalent spelling (RFC 3986 section 6.2.2). */
  find(identifier: string): ResourceRecord | undefined {
    const spelled = canonical(identifier);
    return spelled === undefined ? undefined : this.#byCanonical.get(spelled);
  }

  /** For a request that names none: the only resource, else the one marked as default. */
  get default(): ResourceRecord | undefined {
    return this.resources.length === 1 ? this.resources[0] : this.resources.find((resource) => resource.default);
  }

  /** Whether any of them may act for people upstream. */
  get hasUpstreamTokens(): boolean {
    return this.resources.some(({ upstreamTokens }) => upstreamTokens);
  }

  get scopeNames(): string[] {
    return [...new Set(this.resources.flatMap(({ scopes }) => scopes.map(({ name }) => name)))];
  }
}

/** `scope` and everything that it implies, in the resource's own order. */
export function withImplied(resource: ResourceRecord, names: Iterable<string>): ScopeRecord[] {
  const wanted = new Set<string>();
  const add = (name: string) => {
    const scope = resource.scopes.find((candidate) => candidate.name === name);
    if (!scope || wanted.has(name)) return;
    wanted.add(name);
    scope.implies.forEach(add);
  };
  for (const name of names) add(name);
  return resource.scopes.filter(({ name }) => wanted.has(name));
}

/**
 * Scheme and host in lower case, no default port, no dot segment, nothing percent-encoded that need not be (RFC 3986
 * section 6.2.2), no trailing slash; undefined for what cannot be an identifier (RFC 8707 section 2).
 */
export function canonical(identifier: string): string | undefined {
  const url = URL.parse(identifier);
  if (!url || identifier.includes('#') || url.username || url.password) return undefined;
  // Looks at each run of slashes once: anyone may send a long one.
  return `${url.origin}${plain(url.pathname).replace(/(?<!\/)\/+$/, '')}${plain(url.search)}`;
}

/** Percent-encoded only where the character is not an unreserved one (RFC 3986 section 2.3). */
function plain(text: string): string {
  return text.replace(/%[\da-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
  });
}
