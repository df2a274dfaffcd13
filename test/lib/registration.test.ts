import type { RegistrationProps } from 'mcp-oidc-auth';
import { expect, test } from 'vitest';
import { configOf, newAuth, newStack } from './synth';

test('registration is limited as it says, and by default for Claude not by address', () => {
  const [plain, own] = [newStack(), newStack()];
  newAuth(plain);
  newAuth(own, {
    registration: { perAddress: 5, inAll: 50, sharedEgress: ['2001:db8::/32'], privateUseSchemes: ['my-app'] },
  });
  expect(configOf(plain, 'AuthProvider').registration).toEqual({
    perAddress: 20,
    inAll: 1000,
    sharedEgress: ['160.79.104.0/21'],
  });
  expect(configOf(own, 'AuthProvider').registration).toEqual({
    perAddress: 5,
    inAll: 50,
    sharedEgress: ['2001:db8::/32'],
    privateUseSchemes: ['my-app'],
  });
});

test.each<[RegistrationProps, string]>([
  [{ perAddress: 0 }, 'registration.perAddress must be a whole number, at least 1, got 0.'],
  [{ inAll: 1.5 }, 'registration.inAll must be a whole number, at least 1, got 1.5.'],
  [
    { sharedEgress: ['192.0.2.1'] },
    "registration.sharedEgress must be CIDR ranges, for example '192.0.2.0/24', got '192.0.2.1'.",
  ],
  [{ sharedEgress: ['192.0.2.0/33'] }, "got '192.0.2.0/33'."],
  [
    { privateUseSchemes: ['my-app:'] },
    "registration.privateUseSchemes must be schemes of apps in lower case, without a colon, got 'my-app:'.",
  ],
  [{ privateUseSchemes: ['javascript'] }, "got 'javascript'."],
  [{ privateUseSchemes: 'my-app' as never }, "registration.privateUseSchemes must be a list, got 'my-app'."],
  [{ sharedEgress: '192.0.2.0/24' as never }, "registration.sharedEgress must be a list, got '192.0.2.0/24'."],
])('%j is refused', (registration, message) => {
  expect(() => newAuth(newStack(), { registration })).toThrow(message);
});
