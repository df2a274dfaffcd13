import type { Interaction } from 'oidc-provider';
import { unverifiedClaims } from './unverified-claims';
import type { Person } from './upstream';
import { UpstreamRefused } from './upstream-errors';

/** What a client asks of the person's authentication (OpenID Connect Core section 3.1.2.1). */
export interface AskedAuthentication {
  /** `prompt=login`: it happens anew, whatever session upstream has. */
  readonly anew: boolean;
  /** `max_age`: seconds that it may lie back. */
  readonly maxAge?: number;
  /** `id_token_hint`: whose it is. */
  readonly sub?: unknown;
}

/** Seconds that upstream's clock may be behind. */
const CLOCKS_APART = 60;

export function askedAuthentication({ params }: Interaction): AskedAuthentication {
  const { prompt, max_age: maxAge, id_token_hint: hint } = params;
  return {
    anew: String(prompt ?? '')
      .split(' ')
      .includes('login'),
    ...(maxAge === undefined ? {} : { maxAge: Number(maxAge) }),
    // The engine has verified it at /authorize.
    ...(hint === undefined ? {} : { sub: unverifiedClaims(String(hint)).sub }),
  };
}

/**
 * @param sentAt when the person was sent upstream, in epoch seconds
 * @throws UpstreamRefused (`login_required`) where the person is another one, or upstream did not ask who they are as recently as was asked for
 */
export function checkAuthentication(asked: AskedAuthentication, person: Person, sentAt: number): void {
  const mayLieBack = asked.anew ? 0 : asked.maxAge;
  if (mayLieBack !== undefined) {
    // Not every provider says it. Whoever asks for `max_age` is told in the ID token (section 2), so there it has to be known.
    const unsaid = asked.maxAge === undefined ? sentAt : 0;
    if ((person.authenticatedAt ?? unsaid) < sentAt - mayLieBack - CLOCKS_APART) {
      throw new UpstreamRefused('login_required', 'The identity provider did not ask the person to sign in again');
    }
  }
  if ('sub' in asked && asked.sub !== person.sub) {
    throw new UpstreamRefused('login_required', 'Another person has signed in than the one that the app asked for');
  }
}
