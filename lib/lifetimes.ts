import { Duration } from 'aws-cdk-lib';
import type { Lifetimes } from './contract';
import { completeLifetimes, LIFETIME_BOUNDS } from './lifetime-rules';
import { checkDuration } from './validation';

/** How long what is issued lives, in whole seconds that are known at synth: no tokens. */
export interface LifetimeProps {
  /**
   * Access tokens and ID tokens. At most 1 day.
   *
   * @default Duration.hours(1)
   */
  readonly accessToken?: Duration;

  /**
   * Authorization codes. At most 10 minutes (RFC 6749 section 4.1.2).
   *
   * @default Duration.minutes(1)
   */
  readonly authorizationCode?: Duration;

  /**
   * From /authorize to the code: consent and the upstream sign-in together. At most 400 days.
   *
   * @default Duration.minutes(15)
   */
  readonly interaction?: Duration;

  /**
   * A refresh token that is not used for this long expires. At most 400 days.
   *
   * @default Duration.days(30)
   */
  readonly refreshTokenIdle?: Duration;

  /**
   * After this a person signs in again, however often tokens were refreshed. At most 400 days.
   *
   * @default Duration.days(180)
   */
  readonly grant?: Duration;

  /**
   * A repeated refresh within this window gets the same successor; 0 = strict single use. At most 10 minutes.
   *
   * @default Duration.seconds(60)
   */
  readonly refreshGrace?: Duration;

  /**
   * For this long after the grace window a repeated refresh still gets its successor if nobody has presented that: the client never received it.
   * 0 = not at all. At most 30 days.
   *
   * @default Duration.hours(24), 0 where refreshGrace is 0
   */
  readonly refreshLateRetry?: Duration;

  /**
   * A registered client that is not used for this long is forgotten; one that has not received a token yet, after a day. At most 400 days.
   *
   * @default Duration.days(90)
   */
  readonly client?: Duration;
}

/** The lifetimes in seconds. Throws where one is out of its bounds. */
export function lifetimes(props: LifetimeProps): Lifetimes {
  const names = Object.keys(LIFETIME_BOUNDS) as (keyof LifetimeProps)[];
  const seconds = names.flatMap((name) => {
    const lifetime = props[name];
    if (lifetime === undefined) return [];
    const { atLeast, atMost } = LIFETIME_BOUNDS[name];
    const bounds = { atLeast: Duration.seconds(atLeast), atMost: Duration.seconds(atMost) };
    checkDuration(`lifetimes.${name}`, lifetime, bounds);
    return [[name, lifetime.toSeconds()]];
  });
  return completeLifetimes(Object.fromEntries(seconds));
}
