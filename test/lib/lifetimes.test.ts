import { CfnParameter, Duration } from 'aws-cdk-lib';
import type { LifetimeProps } from 'mcp-oidc-auth';
import { expect, test } from 'vitest';
import { configOf, newAuth, newStack } from './synth';

test('lifetimes arrive in seconds, as short as tests need them', () => {
  const stack = newStack();
  newAuth(stack, { lifetimes: { accessToken: Duration.seconds(5), refreshGrace: Duration.seconds(0) } });
  expect(configOf(stack, 'AuthProvider').lifetimes).toMatchObject({
    accessToken: 5,
    refreshGrace: 0,
    refreshLateRetry: 0,
    authorizationCode: 60,
  });
});

test('a retired key stays published for as long as the longest access token', () => {
  const retirement = (accessToken: Duration) => {
    const stack = newStack();
    newAuth(stack, { lifetimes: { accessToken } });
    return configOf(stack, 'AuthKeyRotationFunction').retirement;
  };
  expect(retirement(Duration.hours(24)) - retirement(Duration.hours(1))).toBe(23 * 3600);
});

test.each<[LifetimeProps, string]>([
  [{ accessToken: Duration.days(2) }, 'lifetimes.accessToken must be at most 1 day, got 2 days.'],
  [
    { authorizationCode: Duration.minutes(11) },
    'lifetimes.authorizationCode must be at most 10 minutes, got 11 minutes.',
  ],
  [{ grant: Duration.days(401) }, 'lifetimes.grant must be at most 400 days, got 401 days.'],
  [{ client: Duration.days(401) }, 'lifetimes.client must be at most 400 days, got 401 days.'],
  [{ refreshTokenIdle: Duration.days(401) }, 'lifetimes.refreshTokenIdle must be at most 400 days, got 401 days.'],
  [{ interaction: Duration.days(401) }, 'lifetimes.interaction must be at most 400 days, got 401 days.'],
  [{ refreshGrace: Duration.minutes(11) }, 'lifetimes.refreshGrace must be at most 10 minutes, got 11 minutes.'],
  [{ accessToken: Duration.seconds(0) }, 'lifetimes.accessToken must be at least 1 second, got 0 seconds.'],
  [
    { accessToken: Duration.millis(1500) },
    'lifetimes.accessToken must be a whole number of seconds, got 1 second 500 millis.',
  ],
  [
    { accessToken: 3600 as unknown as Duration },
    'lifetimes.accessToken must be a Duration, for example Duration.minutes(1), got 3600.',
  ],
])('%o are refused', (lifetimes, message) => {
  expect(() => newAuth(newStack(), { lifetimes })).toThrow(`McpOidcAuth: ${message}`);
});

test('a lifetime that is a token is refused: how long a retired key is needed would be unknown', () => {
  const stack = newStack();
  const accessToken = Duration.seconds(new CfnParameter(stack, 'Lifetime', { type: 'Number' }).valueAsNumber);
  expect(() => newAuth(stack, { lifetimes: { accessToken } })).toThrow(
    'McpOidcAuth: lifetimes.accessToken must be known at synth, for example Duration.minutes(1), got a token.',
  );
});
