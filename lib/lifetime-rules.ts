import { type Lifetimes, LONGEST_LIFETIME } from './contract';

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

/** How long what is issued may live, in seconds. */
export const LIFETIME_BOUNDS: {
  readonly [name in keyof Lifetimes]: { readonly atLeast: number; readonly atMost: number };
} = {
  accessToken: { atLeast: 1, atMost: DAY },
  // RFC 6749 section 4.1.2.
  authorizationCode: { atLeast: 1, atMost: 10 * MINUTE },
  interaction: { atLeast: 1, atMost: LONGEST_LIFETIME },
  refreshTokenIdle: { atLeast: 1, atMost: LONGEST_LIFETIME },
  grant: { atLeast: 1, atMost: LONGEST_LIFETIME },
  refreshGrace: { atLeast: 0, atMost: 10 * MINUTE },
  refreshLateRetry: { atLeast: 0, atMost: 30 * DAY },
  client: { atLeast: 1, atMost: LONGEST_LIFETIME },
};

/** Where nothing else is said. */
const DEFAULTS: Lifetimes = {
  accessToken: 60 * MINUTE,
  authorizationCode: MINUTE,
  interaction: 15 * MINUTE,
  refreshTokenIdle: 30 * DAY,
  grant: 180 * DAY,
  refreshGrace: MINUTE,
  refreshLateRetry: DAY,
  client: 90 * DAY,
};

/** Those that are given, and the defaults of the others. */
export function completeLifetimes(given: Partial<Lifetimes>): Lifetimes {
  const known = Object.fromEntries(Object.entries(given).filter(([, seconds]) => seconds !== undefined));
  // Who asks for strict single use gets it, unless late retries are asked for by name.
  const strict = given.refreshGrace === 0 ? { refreshLateRetry: 0 } : {};
  return { ...DEFAULTS, ...strict, ...known };
}
