import { type Duration, Token } from 'aws-cdk-lib';

/** Ends synthesis with what was given and what is needed. CDK's placeholders say nothing to people. */
export function refuse(message: string): never {
  const readable = message
    .replace(/'[#$]\{Token\[[^\]]*\]\}'/g, 'a token')
    .replace(/[#$]\{Token\[[^\]]*\]\}/g, '<a token>');
  throw new Error(`McpOidcAuth: ${readable}`);
}

/** What was given, in words. TypeScript keeps most of it out, JavaScript does not. */
export function described(given: unknown): string {
  if (typeof given === 'string') {
    return `'${given}'`;
  }
  return given === undefined ? 'nothing' : typeof given === 'object' && given !== null ? 'an object' : String(given);
}

/** A duration in whole seconds and its bounds. It cannot be a token: what is issued and what is cached are reckoned from it at synth. */
export function checkDuration(name: string, given: Duration, bounds: { atLeast?: Duration; atMost?: Duration }): void {
  if (typeof given?.toMilliseconds !== 'function') {
    refuse(`${name} must be a Duration, for example Duration.minutes(1), got ${described(given)}.`);
  }
  if (given.isUnresolved()) {
    refuse(`${name} must be known at synth, for example Duration.minutes(1), got a token.`);
  }
  if (!Number.isInteger(given.toSeconds({ integral: false }))) {
    refuse(`${name} must be a whole number of seconds, got ${given.toHumanString()}.`);
  }
  const { atLeast, atMost } = bounds;
  if (atLeast && given.toMilliseconds() < atLeast.toMilliseconds()) {
    refuse(`${name} must be at least ${atLeast.toHumanString()}, got ${given.toHumanString()}.`);
  }
  if (atMost && given.toMilliseconds() > atMost.toMilliseconds()) {
    refuse(`${name} must be at most ${atMost.toHumanString()}, got ${given.toHumanString()}.`);
  }
}

/** A list where there is one: a string would be taken letter by letter. */
export function checkList(name: string, given: readonly unknown[] | undefined): void {
  if (given !== undefined && !Array.isArray(given)) {
    refuse(`${name} must be a list, got ${described(given)}.`);
  }
}

/** A number's bounds. Tokens are for CloudFormation to judge. */
export function checkWholeNumber(
  name: string,
  given: number | undefined,
  { atLeast, atMost = Number.MAX_SAFE_INTEGER }: { atLeast: number; atMost?: number },
): void {
  if (Token.isUnresolved(given)) {
    return;
  }
  if (given === undefined || !Number.isInteger(given) || given < atLeast || given > atMost) {
    const bounds = atMost === Number.MAX_SAFE_INTEGER ? `at least ${atLeast}` : `from ${atLeast} to ${atMost}`;
    refuse(`${name} must be a whole number, ${bounds}, got ${described(given)}.`);
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
  const url = URL.canParse(given)
    ? new URL(given)
    : refuse(`${name} must be an absolute URL, got ${described(given)}.`);
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

/** A BCP 47 tag in its usual spelling, so that tags can be compared as strings. */
export function checkLanguage(name: string, language: string): void {
  const canonical = canonicalTag(language);
  if (canonical !== language) {
    const example = canonical === undefined ? "such as 'pt-BR' (BCP 47)" : `in its usual spelling, '${canonical}'`;
    refuse(`${name} must name languages by tags ${example}, got '${language}'.`);
  }
}

function canonicalTag(language: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(language)[0];
  } catch {
    return undefined;
  }
}

/** The first value that stands twice in a list. */
export function firstDuplicate(values: readonly string[]): string | undefined {
  return values.find((value, index) => values.indexOf(value) !== index);
}
