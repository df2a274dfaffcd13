import { randomBytes } from 'node:crypto';
import type { Client, Provider } from 'oidc-provider';
import type { ResourceRecord } from '../../lib/contract';
import type { Store } from '../store/store';
import { now } from './clock';
import type { ConsentRecord } from './consent-record';
import { grantKey, personKey, upstreamTokenKey } from './keys';
import { logEvent } from './log';
import type { PersonalGrant } from './personal-grant';
import { withImplied } from './resources';
import type { UnitOfWork } from './unit-of-work';
import type { Person } from './upstream';
import type { UpstreamTokens } from './upstream-tokens';

/** What a person has consented to. */
export interface Consent {
  readonly client: Client;
  /** As the client called itself then. */
  readonly clientName?: string;
  readonly resource: ResourceRecord;
  readonly scopes: readonly string[];
  /** Epoch seconds. */
  readonly consentedAt: number;
}

/** What a consent leads to: the grant, its entry in the list of the person, and upstream's tokens where they are of use later. */
export class ConsentedGrants {
  constructor(
    private readonly store: Store,
    private readonly upstreamTokens: UpstreamTokens,
  ) {}

  /**
   * Collects all that is to be written.
   *
   * @returns the grant's id
   */
  async collect(engine: Provider, consent: Consent, person: Person, unit: UnitOfWork): Promise<string> {
    const { client, clientName, resource, scopes, consentedAt } = consent;
    const { clientId } = client;
    const grant = new engine.Grant({ accountId: person.sub, clientId }) as InstanceType<Provider['Grant']> &
      PersonalGrant;
    grant.jti = randomBytes(32).toString('base64url');
    const names = withImplied(resource, scopes).map(({ name }) => name);
    grant.addResourceScope(resource.identifier, names.join(' '));
    grant.addOIDCScope(scopes.filter((scope) => !names.includes(scope)).join(' '));
    grant.personClaims = person.claims;
    grant.upstreamClaims = person.upstreamClaims;
    grant.customData = person.customData;
    if (resource.upstreamTokens) grant.upstreamTokens = true;

    const { jti: grantId } = grant;
    const expires = now() + grant.remainingTTL;
    await grant.save();
    const listed: ConsentRecord = { clientId, clientName, resource: resource.identifier, scopes: names, consentedAt };
    unit.collect(() => this.store.set(personKey(person.sub, grantId), listed, expires * 1000));
    this.#collectTokens(grantId, resource, person, expires, unit);
    return grantId;
  }

  #collectTokens(grantId: string, resource: ResourceRecord, person: Person, expires: number, unit: UnitOfWork): void {
    const { refreshToken } = person.tokens;
    const kept = resource.upstreamTokens ? person.tokens : { refreshToken };
    if (resource.upstreamTokens && !refreshToken) logEvent('upstream_token.not_renewable', { sub: person.sub });
    if (kept.refreshToken || kept.access) {
      unit.collect(() => this.upstreamTokens.remember(grantId, kept, expires));
    }
  }

  /** A grant that no code leads to. */
  async forget(grantId: string, sub: string): Promise<void> {
    await this.store.deleteMany([grantKey(grantId), upstreamTokenKey(grantId), personKey(sub, grantId)]);
  }
}
