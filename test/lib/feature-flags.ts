import { readFileSync } from 'node:fs';

const RECOMMENDED: Record<string, unknown> = JSON.parse(
  readFileSync(require.resolve('aws-cdk-lib/recommended-feature-flags.json'), 'utf8'),
);

const allFlags = (value: boolean) =>
  Object.fromEntries(
    Object.entries(RECOMMENDED).map(([flag, recommended]) => [
      flag,
      typeof recommended === 'boolean' ? value : value ? recommended : undefined,
    ]),
  );

/** What an app's feature flags may be, by name: the extremes, and what the CDK recommends. */
export const FEATURE_FLAGS: readonly (readonly [string, Record<string, unknown>])[] = [
  ['no feature flags', {}],
  ['all feature flags on', allFlags(true)],
  ['all feature flags off', allFlags(false)],
  ['the recommended feature flags', RECOMMENDED],
];
