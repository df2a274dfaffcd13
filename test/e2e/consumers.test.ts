import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const repository = resolve(__dirname, '..', '..');
const run = promisify(execFile);

/** The environment without what `npm test` says about this package, which a second npm would take for its own. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|command|config_local_prefix)/.test(name)),
);

async function npm(cwd: string, ...args: string[]): Promise<string> {
  return (await run('npm', args, { cwd, env: environment })).stdout;
}

let directory: string;
let tarball: string;
let files: string[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcp-oidc-auth-consumers-'));
  // Without prepack, which would build dist/ and assets/ anew under the other tests.
  const packed = await npm(repository, 'pack', '--ignore-scripts', '--json', '--pack-destination', directory);
  const [{ filename, files: entries }] = JSON.parse(packed);
  tarball = join(directory, filename);
  files = entries.map(({ path }: { path: string }) => path);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the package', () => {
  test('holds the constructs, their types and every bundle', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'package.json',
        'docs/api.md',
        'dist/lib/index.js',
        'dist/lib/index.d.ts',
        'dist/lambda/authorizer/bearer.js',
        'dist/lambda/authorizer/bearer.d.ts',
        ...['authorizer', 'on-deploy', 'provider', 'rotate-keys'].map((name) => `assets/${name}/index.js`),
      ]),
    );
  });

  test('holds no sources, tests and source maps', () => {
    const expected =
      /^(LICENSE|README\.md|package\.json|docs\/[\w-]+\.md|docs\/images\/[\w-]+\.svg|assets\/[\w-]+\/index\.m?js|dist\/[\w/-]+\.(m?js|d\.m?ts))$/;
    expect(files.filter((file) => !expected.test(file) || file.startsWith('dist/test/'))).toEqual([]);
  });
});

const APP = `
const app = new App();
const stack = new Stack(app, 'Consumer');
const auth = new McpOidcAuth(stack, 'Auth', {
  upstream: UpstreamIdp.oidc({
    issuer: 'https://idp.example.com',
    clientId: 'mcp',
    clientSecret: Secret.fromSecretNameV2(stack, 'Secret', 'upstream'),
  }),
  resources: [{ identifier: 'https://mcp.example.com', scopes: [{ name: 'read', description: 'Read' }] }],
});
auth.protectRestApi(new RestApi(stack, 'Api'), {
  integration: new HttpIntegration('https://backend.example.com'),
  scopes: [{ name: 'notes:read', description: 'Read your notes' }],
});
console.log(typeof verifyBearer, typeof requireScope);
`;

const IMPORTS = {
  'aws-cdk-lib': '{ App, Stack }',
  'aws-cdk-lib/aws-apigateway': '{ HttpIntegration, RestApi }',
  'aws-cdk-lib/aws-secretsmanager': '{ Secret }',
  'mcp-oidc-auth': '{ McpOidcAuth, UpstreamIdp }',
  'mcp-oidc-auth/bearer': '{ requireScope, verifyBearer }',
};

describe.each([
  ['commonjs', ([from, names]: [string, string]) => `const ${names} = require('${from}');`],
  ['module', ([from, names]: [string, string]) => `import ${names} from '${from}';`],
])('an empty app of type %s', (type, importing) => {
  test('installs the package beside its peers and synthesizes', { timeout: 240_000 }, async () => {
    const app = await mkdtemp(join(directory, `${type}-`));
    await writeFile(join(app, 'package.json'), JSON.stringify({ name: `empty-${type}`, private: true, type }));
    await writeFile(join(app, 'app.js'), `${Object.entries(IMPORTS).map(importing).join('\n')}\n${APP}`);
    const { peerDependencies } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
    const peers = Object.entries(peerDependencies).map(([name, range]) => `${name}@${range}`);
    await npm(app, 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball, ...peers);

    const out = join(app, 'cdk.out');
    const { stdout } = await run(process.execPath, ['app.js'], { cwd: app, env: { ...environment, CDK_OUTDIR: out } });

    expect(stdout).toBe('function function\n');
    const template = JSON.parse(await readFile(join(out, 'Consumer.template.json'), 'utf8'));
    const types = Object.values<{ Type: string }>(template.Resources).map((resource) => resource.Type);
    expect(types).toEqual(expect.arrayContaining(['AWS::ApiGatewayV2::Api', 'AWS::ApiGateway::Authorizer']));
    // The functions' code is what the repository bundled: nothing was bundled anew at the consumer's.
    const assets = (await readdir(out)).filter((name) => name.startsWith('asset.'));
    const code = await Promise.all(assets.map((asset) => readFile(join(out, asset, 'index.js'), 'utf8')));
    for (const bundle of ['authorizer', 'on-deploy', 'provider', 'rotate-keys']) {
      expect(code).toContain(await readFile(join(repository, 'assets', bundle, 'index.js'), 'utf8'));
    }

    // The local runner's own packages are not forced on whoever only imports the construct; it asks for them by name.
    const command = join(app, 'node_modules', 'mcp-oidc-auth', 'dist', 'bin', 'mcp-oidc-auth.js');
    const start = run(process.execPath, [command, 'start'], { cwd: app, env: environment });
    await expect(start).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/npm install --save-dev .*"dynalite@.*"oidc-provider@9\.13\.3"/),
    });
  });
});
