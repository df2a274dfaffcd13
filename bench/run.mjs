// `npm run bench` and `npm run bench -- load`: bundles what measures and what is measured, and runs it.
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { build } from 'esbuild';
import { bundleOptions } from '../esbuild.mjs';

const out = 'bench/built';
await Promise.all([
  build({
    entryPoints: ['bench/main.ts', 'bench/load.ts'],
    outdir: out,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    logLevel: 'warning',
  }),
  build({
    ...bundleOptions('stock'),
    entryPoints: ['bench/stock/handler.mts'],
    outfile: `${out}/stock.js`,
    keepNames: true,
  }),
  build({ ...bundleOptions('jose'), entryPoints: ['bench/stock/authorizer.ts'], outfile: `${out}/jose.js` }),
  build({ ...bundleOptions('empty'), stdin: { contents: '' }, outfile: `${out}/empty.js` }),
]);
cpSync('bench/instance.cjs', `${out}/instance.cjs`);
const [task = 'main', ...rest] = process.argv.slice(2);
const { status } = spawnSync(process.execPath, ['--expose-gc', `${out}/${task}.js`, ...rest], { stdio: 'inherit' });
process.exitCode = status ?? 1;
