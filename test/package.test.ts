import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packPackage } from './support/packed-package';

const repository = resolve(__dirname, '..');
const run = promisify(execFile);

let directory: string;
let tarball: string;
let files: readonly string[];

beforeAll(async () => {
  ({ directory, tarball, files } = await packPackage());
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the package', () => {
  const below = (folder: string) => files.filter((file) => file.startsWith(folder));
  const compiled = async (folder: string, ...suffixes: string[]) => {
    const sources = await readdir(join(repository, folder), { recursive: true });
    return sources
      .filter((source) => /(?<!\.d)\.m?ts$/.test(source))
      .map((source) => `dist/${folder}/${source}`)
      .flatMap((path) => suffixes.map((suffix) => path.replace(/(m?)ts$/, suffix)));
  };

  test('holds the constructs with their types, and the local runner and the smoke test without', async () => {
    expect(below('dist/lib/').sort()).toEqual((await compiled('lib', 'd.$1ts', '$1js')).sort());
    expect(below('dist/local/').sort()).toEqual((await compiled('local', '$1js')).sort());
    expect(below('dist/smoke/').sort()).toEqual((await compiled('smoke', '$1js')).sort());
  });

  test('holds the bundles, what handlers import, the commands and the documents; nothing else', async () => {
    const pictures = await readdir(join(repository, 'docs', 'images', 'pages'));
    const bearer = [
      'bearer',
      'bearer-error',
      'credentials',
      'dpop-proof',
      'invalid-token-error',
      'remote-key-set',
      'scopes',
      'verify-token',
    ];
    expect(files.filter((file) => !/^dist\/(lib|local|smoke)\//.test(file)).sort()).toEqual(
      [
        'LICENSE',
        'README.md',
        'SECURITY.md',
        'package.json',
        'docs/api.md',
        'docs/clients.md',
        'docs/existing-stacks.md',
        'docs/express.md',
        'docs/identity-providers.md',
        'docs/images/flow.svg',
        'docs/images/key-timeline.svg',
        ...pictures.map((name) => `docs/images/pages/${name}`),
        'docs/keys.md',
        'docs/local.md',
        'docs/migration.md',
        'docs/operations.md',
        'docs/performance.md',
        'docs/resource-servers.md',
        'docs/security.md',
        'docs/standalone.md',
        'docs/storage-schema.md',
        'docs/upstream-tokens.md',
        'dist/bin/mcp-oidc-auth.js',
        'dist/bin/start.js',
        ...bearer.flatMap((name) => ['.d.ts', '.js'].map((suffix) => `dist/lambda/authorizer/${name}${suffix}`)),
        ...['credential', 'upstream-token', 'upstream-token-error'].flatMap((name) =>
          ['.d.ts', '.js'].map((suffix) => `dist/lambda/resource-server/${name}${suffix}`),
        ),
        ...['auth-provider', 'caller', 'express-request', 'idp-tokens', 'index', 'setup-express'].map(
          (name) => `dist/hosts/mcp/${name}.d.ts`,
        ),
        ...['oidc', 'oidc-client', 'options', 'settings', 'standalone'].map((name) => `dist/hosts/${name}.d.ts`),
        ...['authorizer', 'hosts', 'on-deploy', 'operator', 'provider', 'rotate-keys'].map(
          (name) => `assets/${name}/index.js`,
        ),
        'assets/provider/openid-client.js',
        'assets/THIRD-PARTY-LICENSES.txt',
        'assets/sbom.cdx.json',
      ].sort(),
    );
  });

  test('holds every file and picture that its README shows', async () => {
    const readme = await readFile(join(repository, 'README.md'), 'utf8');
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path!);
    const pictures = [...readme.matchAll(/\s(?:src|srcset)="([^"]+)"/g)].map(([, path]) => path!);
    expect(links).toContain('docs/images/flow.svg');
    expect(pictures).toContain('docs/images/pages/consent-light-desktop.png');
    expect(files).toEqual(expect.arrayContaining([...links, ...pictures]));
  });

  test('is clean to publint, up to its suggestions', async () => {
    const { publint } = await import('publint');
    const { formatMessage } = await import('publint/utils');
    const content = await readFile(tarball);
    const { messages, pkg } = await publint({
      pack: { tarball: content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength) },
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test('has types that fit its code, however TypeScript resolves them', async () => {
    const attw = join(repository, 'node_modules', '.bin', 'attw');
    const { stdout } = await run(attw, ['--format', 'json', tarball]);
    const { analysis, problems = {} } = JSON.parse(stdout);
    expect(problems).toEqual({});
    expect(Object.keys(analysis.entrypoints)).toEqual([
      '.',
      './bearer',
      './oidc',
      './mcp',
      './upstream',
      './package.json',
    ]);
  });
});

interface Component {
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly licenses: readonly { readonly license?: { readonly id?: string } }[];
}

describe('what is bundled', () => {
  const read = (name: string) => readFileSync(join(repository, 'assets', name), 'utf8');
  const bom = JSON.parse(read('sbom.cdx.json'));
  const components: Component[] = bom.components;
  const nameOf = ({ group, name }: Component) => (group ? `${group}/${name}` : name);
  const versionOf = (name: string) =>
    JSON.parse(readFileSync(join(repository, 'node_modules', name, 'package.json'), 'utf8')).version;

  test('is listed in a bill of materials of this release', () => {
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'mcp-oidc-auth', version } } });
    const listed = components.map((component) => `${nameOf(component)} ${component.version}`);
    for (const name of ['oidc-provider', 'koa', 'jose', 'openid-client', 'keyv', '@aws-sdk/client-dynamodb']) {
      expect(listed).toContain(`${name} ${versionOf(name)}`);
    }
  });

  test('is not what only the example, the local runner or the tests use', () => {
    const names = components.map(nameOf);
    for (const other of ['zod', 'dynalite', '@cloud-copilot/iam-simulate', 'aws-cdk-lib', 'vitest']) {
      expect(names).not.toContain(other);
    }
  });

  test('may be passed on with this package: no licence asks for more than its text', () => {
    const permissive = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0'];
    const others = components.filter(
      ({ licenses }) => licenses.length !== 1 || !permissive.includes(licenses[0]?.license?.id ?? ''),
    );
    expect(others).toEqual([]);
  });

  test('has the texts of its licences beside it', () => {
    const texts = read('THIRD-PARTY-LICENSES.txt');
    const [, ...sections] = texts.split(`${'='.repeat(80)}\n`);
    const headings = sections.flatMap((section) => section.split('\n\n')[0]!.split('\n'));
    const listed = components.map((component) => `${nameOf(component)} ${component.version}`);
    expect(new Set(headings)).toEqual(new Set(listed));
    for (const section of sections) {
      expect(section).toMatch(/WARRANT|^Licence: .+ It brings no text\. By .+https:/m);
    }
    // The engine, word for word.
    const engine = readdirSync(join(repository, 'node_modules', 'oidc-provider')).find((name) => /^LICENSE/.test(name));
    expect(texts).toContain(readFileSync(join(repository, 'node_modules', 'oidc-provider', engine!), 'utf8').trim());
  });
});
