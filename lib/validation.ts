import { type Duration, Token } from 'aws-cdk-lib';
import { isLoopback } from './loopback';
import { checkWholeNumber, described, type Refuse } from './refusal';

/** Ends synthesis with what was given and what is needed. CDK's placeholders say nothing to people. */
export function refuse(message: string): never {
  const readable = message
    .replace(/'[#$]\{Token\[[^\]]*\]\}'/g, 'a token')
    .replace(/[#$]\{Token\[[^\]]*\]\}/g, '<a token>');
  throw new Error(`McpOidcAuth: ${readable}`);
}

/** As the rules that the hosts have too refuse an option. */
export const mustBe: Refuse = (option, given, needed) => refuse(`${option} must be ${needed}, got ${given}.`);

/** Without what CloudFormation fills in, of which nothing can be said before deployment. A list of nothing else is left out. */
export function knownAtSynth<Props extends object>(props: Props): Props {
  const isKnown = (value: unknown) => !Token.isUnresolved(value);
  const isList = (value: unknown): value is unknown[] => Array.isArray(value) && value.length > 0;
  const entries = Object.entries(props)
    .filter(([, value]) => isKnown(value) && (!isList(value) || value.some(isKnown)))
    .map(([name, value]) => [name, isList(value) ? value.filter(isKnown) : value]);
  return Object.fromEntries(entries);
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

/** A number's bounds. Tokens are for CloudFormation to judge. */
export function checkNumber(
  name: string,
  given: number | undefined,
  bounds: { atLeast: number; atMost?: number },
): void {
  if (!Token.isUnresolved(given)) {
    checkWholeNumber(mustBe, name, given, bounds);
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
