import { createRequire } from 'node:module';

/** By which version 2 of the SDK knows its errors, whichever copy of a class they are of. */
const BRANDS = Symbol.for('mcp.sdk.errorBrands');
const ERRORS = '@modelcontextprotocol/sdk/server/auth/errors.js';

type ErrorClass = new (message: string) => Error;

/** Where neither line of the SDK is installed, whoever asks knows the error by its code. */
class InvalidToken extends Error {
  override readonly name: string = 'InvalidTokenError';
  readonly errorCode = 'invalid_token';

  toResponseObject(): Record<string, string> {
    return { error: this.errorCode, error_description: this.message };
  }
}

/**
 * The error by which `requireBearerAuth`, of either line of the official SDK, knows that the token is what is wrong, and answers 401. On
 * any other it answers 500, and a client that could refresh its token would give up.
 */
export async function invalidTokenError(message: string, cause: unknown): Promise<Error> {
  const InvalidTokenError = (await sdk1()) ?? InvalidToken;
  const error = new InvalidTokenError(message);
  return Object.defineProperties(error, {
    cause: { value: cause },
    code: { value: 'invalid_token' },
    [BRANDS]: { value: new Set(['mcp.OAuthError']) },
  });
}

/**
 * Version 1 comes as two copies, and `instanceof` knows one from the other: its users have loaded the CommonJS one, or else they have the
 * one of ES modules.
 */
async function sdk1(): Promise<ErrorClass | undefined> {
  const require = createRequire(__filename);
  try {
    const loaded = require.cache[require.resolve(ERRORS)]?.exports as { InvalidTokenError: ErrorClass } | undefined;
    const { InvalidTokenError } = loaded ?? (await import(ERRORS));
    return InvalidTokenError;
  } catch {
    return undefined;
  }
}
