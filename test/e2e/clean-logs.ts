import type { LocalStack } from './local-stack';

/** The lines that hold a code, a token, a password or the client secret. */
export function secretsInLogs(
  { logs, identityProvider }: LocalStack,
  apps: readonly { readonly secrets: readonly string[] }[],
): string[] {
  const given = apps.flatMap((app) => app.secrets);
  if (given.length < 10 || !logs.some((line) => line.includes('token.issued')))
    throw new Error('Too little has happened to say anything about the logs.');
  const secrets = [...given, ...identityProvider.users.map(({ password }) => password), identityProvider.clientSecret];
  return logs.filter((line) => /eyJ[\w-]+\./.test(line) || secrets.some((secret) => line.includes(secret)));
}

/** The calls to AWS that the functions' roles do not allow. */
export function deniedCalls({ stack }: LocalStack): unknown[] {
  return stack.calls.filter(({ allowed }) => !allowed);
}
