// Bundles each function into assets/<name>/index.js, so that who uses the construct needs no bundler and no Docker; and what operators
// run by hand, or host themselves, so that it needs no package beside this one but that of a database.
// A name with a slash is a file beside another bundle.
// `node esbuild.mjs` bundles all of them and says what is in them, `node esbuild.mjs authorizer` bundles just that one.
import { build } from 'esbuild';
import { describeBundles } from './bill-of-materials.mjs';
import { lean } from './lean.mjs';

const bundles = {
  provider: 'lambda/provider/handler.mts',
  'provider/openid-client': 'lambda/provider/openid-client.ts',
  authorizer: 'lambda/authorizer/handler.ts',
  'rotate-keys': 'lambda/rotate-keys/handler.ts',
  'on-deploy': 'lambda/on-deploy/handler.ts',
  'example-notes-server': 'examples/notes-server/handler.ts',
  operator: 'operator/index.ts',
  hosts: 'hosts/index.ts',
};

/** Runs in this repository alone. */
const UNPUBLISHED = ['example-notes-server'];

/** Before all else, and on a line of its own, which Node shows with the error. */
const REFUSE_OLD_NODE = `if (parseInt(process.versions.node) < 22)
  throw new Error('The authorization server needs Node.js 22 or newer. This is Node.js ' + process.versions.node + '.');`;

/** Clients of databases. Operators always have that of DynamoDB. */
const EXTERNAL = {
  operator: ['@keyv/redis', '@keyv/valkey', 'pg'],
  hosts: ['@aws-sdk/client-dynamodb', '@keyv/redis', '@keyv/valkey', 'pg'],
};

/** @param name of the bundle */
export function bundleOptions(name) {
  return {
    bundle: true,
    // Whoever hosts the server by themselves reads its stack traces.
    minify: name !== 'hosts',
    // oidc-provider knows its models by the names of their classes.
    keepNames: name === 'provider' || name === 'hosts',
    platform: 'node',
    // Whoever asks whether this is a browser: Node would load its navigator to answer.
    define: name === 'provider' ? { navigator: 'undefined' } : {},
    // Lambda's; others have what they have.
    target: name === 'operator' || name === 'hosts' ? 'node22' : 'node24',
    banner: name === 'hosts' ? { js: REFUSE_OLD_NODE } : {},
    // Of those each is loaded by whoever uses that database.
    external: EXTERNAL[name] ?? [],
    format: 'cjs',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    logLevel: 'warning',
    // A require: the first import() of a process takes some ten milliseconds to set up.
    supported: name in EXTERNAL ? {} : { 'dynamic-import': false },
    plugins: name === 'provider' ? [lean] : [],
  };
}

if (import.meta.main) {
  const wanted = process.argv.slice(2);
  const built = await Promise.all(
    Object.entries(bundles)
      .filter(([name]) => wanted.length === 0 || wanted.includes(name.split('/')[0]))
      .map(async ([name, entry]) => {
        const outfile = `assets/${name.includes('/') ? name : `${name}/index`}.js`;
        const output = { entryPoints: [entry], outfile, metafile: true };
        const { metafile } = await build({ ...bundleOptions(name), ...output });
        return { name, metafile };
      }),
  );
  if (wanted.length === 0) {
    describeBundles(built.filter(({ name }) => !UNPUBLISHED.includes(name)).map(({ metafile }) => metafile));
  }
}
