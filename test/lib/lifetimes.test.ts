import { Duration } from 'aws-cdk-lib';
import type { LifetimeProps } from 'mcp-oidc-auth';
import { expect, test } from 'vitest';
import { configOf, newAuth, newStack } from './synth';

test('lifetimes arrive in seconds, as short as tests need them', () => {
  const stack = newStack();
  newAuth(stack, { lifetimes: { accessToken: Duration.seconds(5), refreshGrace: Duration.seconds(0) } });
  expect(configOf(stack, 'AuthProvider').lifetimes).toMatchObject({
    accessToken: 5,
    refreshGrace: 0,
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
])('%o are refused', (lifetimes, message) => {
  expect(() => newAuth(newStack(), { lifetimes })).toThrow(`McpOidcAuth: ${message}`);
});
