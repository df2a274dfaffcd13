import { Duration } from 'aws-cdk-lib';
import { type McpOidcAuthProps, SigningAlgorithm } from 'mcp-oidc-auth';
import { describe, expect, test } from 'vitest';
import { configOf, newAuth, newStack, ofType, type Resource } from './synth';

/** What the functions are told of the key set. */
function told(props: Partial<McpOidcAuthProps> = {}, context: Record<string, unknown> = {}) {
  const stack = newStack(context);
  newAuth(stack, props);
  const [[, schedule]] = ofType(stack, 'AWS::SecretsManager::RotationSchedule') as [[string, Resource]];
  return {
    schedule: schedule.Properties.RotationRules.ScheduleExpression,
    provider: configOf(stack, 'AuthProvider'),
    rotation: configOf(stack, 'AuthKeyRotationFunction'),
    onDeploy: configOf(stack, 'AuthOnDeploy'),
  };
}

describe('keySetRefresh', () => {
  test('decides how often instances look, how long /jwks is kept, and when a key that was published may sign', () => {
    const { provider, rotation } = told({ keySetRefresh: Duration.minutes(5) });
    expect(provider.keySetRefresh).toBe(300);
    expect(rotation.minimumPublication).toBe(4 * 300 + 2 * 3600);
    expect(rotation.retirement).toBe(3600 + rotation.minimumPublication);
  });

  test('below a minute leaves out the two hours of API Gateway’s own authorizers', () => {
    expect(told({ keySetRefresh: Duration.seconds(2) }).rotation.minimumPublication).toBe(8);
    expect(told({ keySetRefresh: Duration.seconds(59) }).rotation.minimumPublication).toBe(4 * 59);
    expect(told({ keySetRefresh: Duration.seconds(60) }).rotation.minimumPublication).toBe(4 * 60 + 7200);
  });

  test.each<[Partial<McpOidcAuthProps>, string]>([
    [{ keySetRefresh: Duration.millis(500) }, 'keySetRefresh must be a whole number of seconds, got 500 millis.'],
    [{ keySetRefresh: Duration.seconds(0) }, 'keySetRefresh must be at least 1 second, got 0 seconds.'],
    [{ keySetRefresh: Duration.minutes(61) }, 'keySetRefresh must be at most 1 hour, got 1 hour 1 minute.'],
    [
      { keySetRefresh: Duration.hours(1), keyRotation: Duration.hours(5) },
      'keyRotation must be at least 6 hours where keySetRefresh is 1 hour, so that everybody knows a key before it signs, got 5 hours.',
    ],
  ])('%j is refused', (props, message) => {
    expect(() => told(props)).toThrow(message);
  });
});

describe('start --rotate-every', () => {
  test('synthesizes everything from one number', () => {
    const { schedule, provider, rotation } = told(
      { keyRotation: Duration.days(90) },
      { 'mcp-oidc-auth:rotateEvery': 13 },
    );
    expect(schedule).toBe('rate(13 seconds)');
    expect(provider.keySetRefresh).toBe(2);
    expect(rotation.minimumPublication).toBe(8);
  });
});

describe('signingAlgorithm', () => {
  test('is told to both functions that make keys', () => {
    const { rotation, onDeploy } = told({ signingAlgorithm: SigningAlgorithm.ES256 });
    expect([rotation.algorithm, onDeploy.algorithm]).toEqual(['ES256', 'ES256']);
  });

  test('is RS256 by default', () => {
    const { rotation, onDeploy } = told();
    expect([rotation.algorithm, onDeploy.algorithm]).toEqual(['RS256', 'RS256']);
  });
});
