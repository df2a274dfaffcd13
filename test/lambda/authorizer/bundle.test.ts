import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CONFIG } from '../../../lib/contract';

const bundle = join(__dirname, '../../../assets/authorizer/index.js');

describe('the bundle of the authorizer', () => {
  it('is small, because it starts in the way of every first call', () => {
    expect(statSync(bundle).size).toBeLessThanOrEqual(40 * 1024);
  });

  it('runs by itself with nothing but its configuration', async () => {
    const config = {
      issuer: 'x',
      jwksUri: 'https://x.example/jwks',
      audience: 'x',
      scopes: [],
      toolScopes: {},
      claims: [],
    };
    const script = `const { handler, metadata } = require(${JSON.stringify(bundle)});
      handler({ routeArn: 'x', headers: {}, requestContext: {} }).then((result) => console.log(result.isAuthorized, typeof metadata));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
      env: { [CONFIG]: JSON.stringify(config) },
    });
    expect(stdout).toContain('false function');
  });
});
