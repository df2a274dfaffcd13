import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
  const below = (folder: string) => files.filter((file) => file.startsWith(folder));
  const compiled = async (folder: string, ...suffixes: string[]) => {
    const sources = await readdir(join(repository, folder), { recursive: true });
    return sources
      .filter((source) => /(?<!\.d)\.m?ts$/.test(source))
      .map((source) => `dist/${folder}/${source}`)
      .flatMap((path) => suffixes.map((suffix) => path.replace(/(m?)ts$/, suffix)));
  };

  test('holds the constructs with their types, and the local runner without', async () => {
    expect(below('dist/lib/').sort()).toEqual((await compiled('lib', 'd.$1ts', '$1js')).sort());
    expect(below('dist/local/').sort()).toEqual((await compiled('local', '$1js')).sort());
  });

  test('holds the bundles, what handlers import, the command and the documents; nothing else', async () => {
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
    expect(files.filter((file) => !/^dist\/(lib|local)\//.test(file)).sort()).toEqual(
      [
        'LICENSE',
        'README.md',
        'package.json',
        'docs/api.md',
        'docs/clients.md',
        'docs/identity-providers.md',
        'docs/images/flow.svg',
        ...pictures.map((name) => `docs/images/pages/${name}`),
        'docs/local.md',
        'docs/operations.md',
        'docs/security.md',
        'docs/standalone.md',
        'docs/storage-schema.md',
        'dist/bin/mcp-oidc-auth.js',
        'dist/bin/start.js',
        ...['oidc', 'oidc-client', 'options', 'standalone'].map((name) => `dist/hosts/${name}.d.ts`),
        ...bearer.flatMap((name) => ['.d.ts', '.js'].map((suffix) => `dist/lambda/authorizer/${name}${suffix}`)),
        ...['authorizer', 'hosts', 'on-deploy', 'operator', 'provider', 'rotate-keys'].map(
          (name) => `assets/${name}/index.js`,
        ),
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
    const { peerDependencies, peerDependenciesMeta } = JSON.parse(
      await readFile(join(repository, 'package.json'), 'utf8'),
    );
    const needed = Object.entries(peerDependencies).filter(([name]) => !peerDependenciesMeta[name]?.optional);
    const peers = needed.map(([name, range]) => `${name}@${range}`);
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

    // What the README shows, as it stands there.
    await mkdir(join(app, 'server'));
    await writeFile(join(app, 'server', 'index.js'), 'exports.handler = async () => ({ statusCode: 200 });');
    await copyFile(join(repository, 'dist', 'examples', 'own-app.js'), join(app, 'own-app.cjs'));
    const ownOut = join(app, 'own.out');
    await run(process.execPath, ['own-app.cjs'], { cwd: app, env: { ...environment, CDK_OUTDIR: ownOut } });
    const own = JSON.parse(await readFile(join(ownOut, 'MyMcpServer.template.json'), 'utf8'));
    const methods = Object.values<{ Type: string; Properties: Record<string, string> }>(own.Resources)
      .filter(({ Type, Properties }) => Type === 'AWS::ApiGateway::Method' && Properties.AuthorizationType === 'CUSTOM')
      .map(({ Properties }) => Properties.HttpMethod);
    expect(methods.sort()).toEqual(['DELETE', 'GET', 'POST']);

    // The local runner's own packages are not forced on whoever only imports the construct; it asks for them by name.
    const command = join(app, 'node_modules', 'mcp-oidc-auth', 'dist', 'bin', 'mcp-oidc-auth.js');
    const start = run(process.execPath, [command, 'start'], { cwd: app, env: environment });
    await expect(start).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/npm install --save-dev .*"dynalite@.*"oidc-provider@9\.13\.3"/),
    });

    // What operators run by hand brings all that it needs, up to the AWS SDK.
    const grants = run(process.execPath, [command, 'people', 'grants', '--table', 'x', '--sub', 'x'.repeat(43)], {
      cwd: app,
      env: { PATH: environment.PATH, AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' },
    });
    await expect(grants).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^No AWS region is set\./) });
  });
});
