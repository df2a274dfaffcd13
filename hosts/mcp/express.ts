import { createRequire } from 'node:module';
import type Express from 'express';

/**
 * Express, as it is installed beside this package: whoever imports something else of the bundle need not have it, or may have an older
 * one. That would leave a request unanswered whose handler's promise is rejected.
 *
 * @throws Error that says what to install
 */
export function loadExpress(): typeof Express {
  const require = createRequire(__filename);
  let version: string;
  try {
    ({ version } = require('express/package.json'));
  } catch (cause) {
    throw new Error(needed('it is not installed'), { cause });
  }
  if (Number.parseInt(version, 10) < 5) throw new Error(needed(`found ${version}`));
  return require('express');
}

function needed(instead: string): string {
  return `mcp-oidc-auth/mcp needs Express 5; ${instead}: npm install express@5`;
}
