import { createRequire } from 'node:module';
import type Express from 'express';

/**
 * Express, as it is installed beside this package: whoever imports something else of the bundle need not have it.
 *
 * @throws Error that says what to install
 */
export function loadExpress(): typeof Express {
  try {
    return createRequire(__filename)('express');
  } catch (cause) {
    throw new Error('mcp-oidc-auth/mcp needs the package express, version 5: npm install express', { cause });
  }
}
