import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseCookies } from './http';
import { hash } from './keys';

/**
 * Binds one sign-in to the browser that began it.
 *
 * The browser holds a random secret in a cookie of its own for each sign-in, so that two tabs do not disturb each other.
 * The interaction holds the secret's hash. All that the way through the upstream identity provider needs to remember
 * (state, nonce, PKCE verifier, the form's token) is derived from the secret, so that nothing of it is at rest, and
 * another browser cannot finish what this one began.
 */
export class BrowserBinding {
  /** @param clientId of the client that asked: its record is read beside the interaction's, before that says whose it is */
  static create(clientId: string): BrowserBinding {
    return new BrowserBinding(`${randomBytes(32).toString('base64url')}.${hash(clientId)}`);
  }

  /** The binding that this browser holds for the interaction `uid`, if any. */
  static of(cookieHeader: string | undefined, uid: string): BrowserBinding | undefined {
    const secret = parseCookies(cookieHeader).get(cookieName(uid)) ?? '';
    return SECRET.test(secret) ? new BrowserBinding(secret) : undefined;
  }

  /** The sign-in of this browser that `state` belongs to. The state does not tell the interaction's uid to upstream. */
  static forState(
    cookieHeader: string | undefined,
    state: string,
  ): { binding: BrowserBinding; uid: string } | undefined {
    for (const [name, secret] of parseCookies(cookieHeader)) {
      if (!name.startsWith(COOKIE_PREFIX) || !SECRET.test(secret)) continue;
      const uid = name.slice(COOKIE_PREFIX.length);
      if (state.startsWith(statePrefix(uid))) return { binding: new BrowserBinding(secret), uid };
    }
    return undefined;
  }

  private constructor(private readonly secret: string) {}

  /** The hash of the client's id, as the browser has it: good for knowing what to read, and for nothing else. */
  get clientHash(): string {
    return this.secret.slice(this.secret.indexOf('.') + 1);
  }

  /** What the interaction remembers. */
  get hash(): string {
    return hash(this.secret);
  }

  matches(stored: unknown): boolean {
    return typeof stored === 'string' && equal(this.hash, stored);
  }

  /** Sent to upstream; one for each attempt, so that a state is never used twice. */
  state(uid: string, attempt: string): string {
    return `${statePrefix(uid)}${this.#derive('state', attempt)}`;
  }

  nonce(attempt: string): string {
    return this.#derive('nonce', attempt);
  }

  /** RFC 7636: 43 characters of the unreserved set. */
  codeVerifier(attempt: string): string {
    return this.#derive('code_verifier', attempt);
  }

  get formToken(): string {
    return this.#derive('form', '');
  }

  isFormToken(token: string | null): boolean {
    return token !== null && equal(this.formToken, token);
  }

  /** @param lifetime of the sign-in, in seconds */
  setCookie(uid: string, lifetime: number): string {
    const maxAge = lifetime + KEPT_AFTERWARDS;
    return `${cookieName(uid)}=${this.secret}; Path=/; Max-Age=${maxAge}; Secure; HttpOnly; SameSite=Lax`;
  }

  #derive(purpose: string, attempt: string): string {
    return createHmac('sha256', this.secret).update(`${purpose}:${attempt}`).digest('base64url');
  }
}

/** Ends the binding of a finished or abandoned sign-in. */
export function clearCookie(uid: string): string {
  return `${cookieName(uid)}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`;
}

/** Whoever comes back late, up to this many seconds, hears that the sign-in has expired, not that it is another browser's. */
const KEPT_AFTERWARDS = 60 * 60;

/** Sign-ins that are open in one browser at once; the cookies of many abandoned ones would fill the request's 10 KB of headers. */
const MOST_OPEN = 8;

/** Clears this browser's oldest sign-ins, so that one more fits. */
export function clearOldest(cookieHeader: string | undefined): string[] {
  const open = [...parseCookies(cookieHeader).keys()].filter((name) => name.startsWith(COOKIE_PREFIX));
  return open
    .slice(0, Math.max(0, open.length - MOST_OPEN + 1))
    .map((name) => clearCookie(name.slice(COOKIE_PREFIX.length)));
}

/** Nothing else may become the key of a record. */
const SECRET = /^[\w-]{43}\.[\w-]{43}$/;

/** A `__Host-` cookie cannot be set by a sibling domain (RFC 6265bis section 4.1.3.2). */
const COOKIE_PREFIX = '__Host-mcp-';

function cookieName(uid: string): string {
  return `${COOKIE_PREFIX}${uid}`;
}

function statePrefix(uid: string): string {
  return `${hash(uid).slice(0, 16)}.`;
}

function equal(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
