// Bundles each function into assets/<name>/index.js, so that who uses the construct needs no bundler and no Docker; and what operators
// run by hand, or host themselves, so that it needs no package beside this one but that of a database.
// `node esbuild.mjs` bundles all of them, `node esbuild.mjs authorizer` just that one.
import { build } from 'esbuild';

const bundles = {
  provider: 'lambda/provider/handler.mts',
  authorizer: 'lambda/authorizer/handler.ts',
  'rotate-keys': 'lambda/rotate-keys/handler.ts',
  'on-deploy': 'lambda/on-deploy/handler.ts',
  'example-notes-server': 'examples/notes-server/handler.ts',
  operator: 'operator/index.ts',
  hosts: 'hosts/index.ts',
};

/** Before all else, and on a line of its own, which Node shows with the error. */
const REFUSE_OLD_NODE = `if (parseInt(process.versions.node) < 22)
  throw new Error('The authorization server needs Node.js 22 or newer. This is Node.js ' + process.versions.node + '.');`;

/** Clients of databases. */
const DATABASES = ['@aws-sdk/client-dynamodb', '@keyv/redis', '@keyv/valkey', 'pg'];

const wanted = process.argv.slice(2);
await Promise.all(
  Object.entries(bundles)
    .filter(([name]) => wanted.length === 0 || wanted.includes(name))
    .map(([name, entry]) =>
      build({
        entryPoints: [entry],
        outfile: `assets/${name}/index.js`,
        bundle: true,
        minify: true,
        // oidc-provider knows its models by the names of their classes.
        keepNames: name === 'provider' || name === 'hosts',
        platform: 'node',
        // Lambda's; others have what they have.
        target: name === 'operator' || name === 'hosts' ? 'node22' : 'node24',
        banner: name === 'hosts' ? { js: REFUSE_OLD_NODE } : {},
        // Of those each is loaded by whoever uses that database.
        external: name === 'hosts' ? DATABASES : [],
        format: 'cjs',
        mainFields: ['module', 'main'],
        legalComments: 'none',
        logLevel: 'warning',
      }),
    ),
);
