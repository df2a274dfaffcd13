// Bundles each function into assets/<name>/index.js, so that who uses the construct needs no bundler and no Docker; and what operators
// run by hand, so that it needs no package beside this one.
// `node esbuild.mjs` bundles all of them and says what is in them, `node esbuild.mjs authorizer` bundles just that one.
import { build } from 'esbuild';
import { describeBundles } from './bill-of-materials.mjs';

const bundles = {
  provider: 'lambda/provider/handler.mts',
  authorizer: 'lambda/authorizer/handler.ts',
  'rotate-keys': 'lambda/rotate-keys/handler.ts',
  'on-deploy': 'lambda/on-deploy/handler.ts',
  'example-notes-server': 'examples/notes-server/handler.ts',
  operator: 'operator/index.ts',
};

/** Runs in this repository alone. */
const UNPUBLISHED = ['example-notes-server'];

const wanted = process.argv.slice(2);
const built = await Promise.all(
  Object.entries(bundles)
    .filter(([name]) => wanted.length === 0 || wanted.includes(name))
    .map(async ([name, entry]) => {
      const { metafile } = await build({
        entryPoints: [entry],
        outfile: `assets/${name}/index.js`,
        bundle: true,
        minify: true,
        // oidc-provider knows its models by the names of their classes.
        keepNames: name === 'provider',
        platform: 'node',
        // Lambda's; operators have what they have.
        target: name === 'operator' ? 'node22' : 'node24',
        format: 'cjs',
        mainFields: ['module', 'main'],
        legalComments: 'none',
        logLevel: 'warning',
        metafile: true,
      });
      return { name, metafile };
    }),
);
if (wanted.length === 0) {
  describeBundles(built.filter(({ name }) => !UNPUBLISHED.includes(name)).map(({ metafile }) => metafile));
}
