// Bundles each function into assets/<name>/index.js, so that who uses the construct needs no bundler and no Docker; and what operators
// run by hand, or host themselves, so that it needs no package beside this one but that of a database.
// `node esbuild.mjs` bundles all of them and says what is in them, `node esbuild.mjs authorizer` bundles just that one.
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { describeBundles } from './bill-of-materials.mjs';

const bundles = {
  provider: 'lambda/provider/handler.mts',
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

/** Clients of databases. */
const DATABASES = ['@aws-sdk/client-dynamodb', '@keyv/redis', '@keyv/valkey', 'pg'];

/** Media types that the engine writes, reads or chooses between, of the 2,500 that its framework knows: two copies of 140 KiB. */
const MEDIA_TYPES = [
  'application/json',
  'application/jwk-set+json',
  'application/jwt',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/html',
  'text/plain',
];

/** Leaves out what every start would load and no request needs. */
const lean = {
  name: 'lean',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]mime-db[\\/]db\.json$/ }, ({ path }) => {
      const all = JSON.parse(readFileSync(path, 'utf8'));
      const contents = JSON.stringify(Object.fromEntries(MEDIA_TYPES.map((type) => [type, all[type]])));
      return { contents, loader: 'json' };
    });
    // Where the SDK's own clients, of which there are none here, find out about endpoints: in files of a person's laptop.
    onLoad({ filter: /[\\/]adaptors[\\/]getEndpointFromConfig\.js$/ }, () => ({
      contents: 'export const getEndpointFromConfig = async () => undefined;',
    }));
    // It asks of every answer whether it is a Response, for which Node loads all of its fetch. The engine answers with none of these.
    onLoad({ filter: /[\\/]koa[\\/]lib[\\/](application|response)\.js$/ }, ({ path }) => ({
      contents: `class Response {} class Blob {} class ReadableStream {}\n${readFileSync(path, 'utf8')}`,
    }));
    // It looks whether a stream is one of zlib's, for which it loads zlib. The engine answers with no stream.
    onLoad({ filter: /[\\/]destroy[\\/]index\.js$/ }, () => ({
      contents: 'module.exports = (stream) => stream.destroy();',
    }));
    // What it prints, when DEBUG asks it to, are requests with all their secrets.
    onLoad({ filter: /[\\/]debug[\\/]src[\\/]index\.js$/ }, () => ({
      contents: 'module.exports = () => Object.assign(() => {}, { enabled: false });',
    }));
  },
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
    // Lambda's; others have what they have.
    target: name === 'operator' || name === 'hosts' ? 'node22' : 'node24',
    banner: name === 'hosts' ? { js: REFUSE_OLD_NODE } : {},
    // Of those each is loaded by whoever uses that database.
    external: name === 'hosts' ? DATABASES : [],
    format: 'cjs',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    logLevel: 'warning',
    // A require: the first import() of a process takes some ten milliseconds to set up.
    supported: name === 'hosts' ? {} : { 'dynamic-import': false },
    plugins: name === 'provider' ? [lean] : [],
  };
}

if (import.meta.main) {
  const wanted = process.argv.slice(2);
  const built = await Promise.all(
    Object.entries(bundles)
      .filter(([name]) => wanted.length === 0 || wanted.includes(name))
      .map(async ([name, entry]) => {
        const output = { entryPoints: [entry], outfile: `assets/${name}/index.js`, metafile: true };
        const { metafile } = await build({ ...bundleOptions(name), ...output });
        return { name, metafile };
      }),
  );
  if (wanted.length === 0) {
    describeBundles(built.filter(({ name }) => !UNPUBLISHED.includes(name)).map(({ metafile }) => metafile));
  }
}
