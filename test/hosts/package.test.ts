import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect, test } from 'vitest';

test('the types of the hosts refer to nothing that is not in the package, and to no package but Node’s own types, and Express’s where it is used', () => {
  const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']).toString());
  const packed = new Set(files.map(({ path }: { path: string }) => path));
  const types = [...packed].filter((path) => /^dist\/hosts\/.*\.d\.ts$/.test(String(path))) as string[];
  expect(types).toContain('dist/hosts/oidc.d.ts');
  for (const path of types) {
    for (const [, imported = ''] of readFileSync(path, 'utf8').matchAll(/\bfrom '([^']+)'|import\('([^']+)'\)/g)) {
      if (imported.startsWith('.')) expect(packed).toContain(posix.join(posix.dirname(path), `${imported}.d.ts`));
      else expect(imported, path).toMatch(path.includes('/mcp/') ? /^(node:|express$)/ : /^node:/);
    }
  }
});

test('no bundle of a function has what only the hosts need', () => {
  for (const name of ['authorizer', 'on-deploy', 'provider', 'rotate-keys']) {
    const bundle = readFileSync(`assets/${name}/index.js`, 'utf8');
    expect(bundle.includes('mcp-oidc-auth cannot start'), name).toBe(false);
    expect(bundle.includes('node:sqlite'), name).toBe(false);
  }
  expect(readFileSync('assets/hosts/index.js', 'utf8')).toContain('mcp-oidc-auth cannot start');
});
