import { type Duration, Token } from 'aws-cdk-lib';

/** Ends synthesis with what was given and what is needed. */
export function refuse(message: string): never {
  throw new Error(`McpOidcAuth: ${message}`);
}

/** A given text in a message; a placeholder says nothing to people. */
export function shown(given: string): string {
  return Token.isUnresolved(given) ? 'a token' : `'${given}'`;
}

/** A duration's bounds. Unresolved tokens are for CloudFormation to judge. */
export function checkDuration(name: string, given: Duration, bounds: { atLeast?: Duration; atMost?: Duration }): void {
  if (given.isUnresolved()) {
    return;
  }
  const { atLeast, atMost } = bounds;
  if (atLeast && given.toMilliseconds() < atLeast.toMilliseconds()) {
    refuse(`${name} must be at least ${atLeast.toHumanString()}, got ${given.toHumanString()}.`);
  }
  if (atMost && given.toMilliseconds() > atMost.toMilliseconds()) {
    refuse(`${name} must be at most ${atMost.toHumanString()}, got ${given.toHumanString()}.`);
  }
}

/**
 * An absolute URL without a fragment and without credentials: `https`, or `http` on this machine.
 * Gives nothing where the URL is a token, so that there is nothing to look at before deployment.
 */
export function checkUrl(name: string, given: string): URL | undefined {
  if (Token.isUnresolved(given)) {
    return undefined;
  }
  const url = URL.canParse(given) ? new URL(given) : refuse(`${name} must be an absolute URL, got '${given}'.`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    refuse(`${name} must begin with https:// (http:// only on localhost), got '${given}'.`);
  }
  if (given.includes('#') || url.username || url.password) {
    refuse(`${name} must have no fragment and no credentials, got '${given}'.`);
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

/** The first value that stands twice in a list. */
export function firstDuplicate(values: readonly string[]): string | undefined {
  return values.find((value, index) => values.indexOf(value) !== index);
}
