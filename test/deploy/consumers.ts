import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../support/free-ports';
import { CLEAN_ENVIRONMENT, type PackedPackage, packPackage } from '../support/packed-package';

const REPOSITORY = resolve(__dirname, '..', '..');
const run = promisify(execFile);

const IMPORTS: [from: string, names: string][] = [
  ['aws-cdk-lib', '{ App, CfnOutput, CfnParameter, Stack }'],
  ['aws-cdk-lib/aws-apigateway', '{ LambdaIntegration, RestApi }'],
  ['aws-cdk-lib/aws-lambda', '{ Code, Function, Runtime }'],
  ['aws-cdk-lib/aws-secretsmanager', '{ Secret }'],
  ['mcp-oidc-auth', '{ McpOidcAuth, UpstreamIdp }'],
  ['mcp-oidc-auth/bearer', '{ BearerError, verifyBearer }'],
];

const APP = `
const app = new App();
const stack = new Stack(app, 'Consumer');
const auth = new McpOidcAuth(stack, 'Auth', {
  upstream: UpstreamIdp.oidc({
    issuer: new CfnParameter(stack, 'UpstreamIssuer').valueAsString,
    clientId: new CfnParameter(stack, 'UpstreamClientId').valueAsString,
    clientSecret: Secret.fromSecretNameV2(stack, 'Secret', new CfnParameter(stack, 'UpstreamSecretName').valueAsString),
  }),
  resources: [{ identifier: 'https://mcp.example.com', scopes: [{ name: 'read', description: 'Read' }] }],
});
const server = new Function(stack, 'Server', {
  runtime: Runtime.NODEJS_24_X,
  code: Code.fromAsset('server'),
  handler: 'index.handler',
});
const mcp = auth.protectRestApi(new RestApi(stack, 'Api'), {
  integration: new LambdaIntegration(server),
  scopes: [{ name: 'notes:read', description: 'Read your notes' }],
});
new CfnOutput(stack, 'Issuer', { value: auth.issuer });
new CfnOutput(stack, 'McpUrl', { value: mcp.url });
app.synth();

verifyBearer(undefined, { issuer: 'https://auth.example.com', audience: 'https://mcp.example.com' }).catch((error) =>
  console.log(error instanceof BearerError, error.status),
);
`;

const imported = ([from, names]: [string, string]) => `import ${names} from '${from}';`;
const required = ([from, names]: [string, string]) => `const ${names} = require('${from}');`;

interface Consumer {
  readonly type: 'commonjs' | 'module';
  /** The name of the source. */
  readonly source: string;
  readonly importing: (entry: [string, string]) => string;
  /** Of TypeScript, and how it is told to compile. */
  readonly typescript?: { readonly version: string; readonly options: object };
}

const CONSUMERS: [string, Consumer][] = [
  [
    'in TypeScript as ES modules',
    {
      type: 'module',
      source: 'app.ts',
      importing: imported,
      typescript: { version: '7', options: { module: 'nodenext', target: 'es2023' } },
    },
  ],
  [
    // As `cdk init` wrote it for years: TypeScript 5, and a resolution of modules that knows no "exports".
    'in TypeScript as CommonJS',
    {
      type: 'commonjs',
      source: 'app.ts',
      importing: imported,
      typescript: { version: '5.9', options: { module: 'commonjs', moduleResolution: 'node10', target: 'es2022' } },
    },
  ],
  ['in plain JavaScript', { type: 'commonjs', source: 'app.js', importing: required }],
];

export interface PackageManager {
  readonly name: string;
  /** What stands before the packages to install. */
  readonly install: readonly string[];
  /** What stands before the name of a command of an installed package. */
  readonly exec: readonly string[];
  readonly symlinks: boolean;
}

/** What must work for whoever uses the package, in empty folders outside the repository. */
export function consumers(manager: PackageManager): void {
  let packed: PackedPackage;
  beforeAll(async () => {
    packed = await packPackage();
  });
  afterAll(() => rm(packed.directory, { recursive: true, force: true }));

  let running: ChildProcess | undefined;
  afterEach(() => {
    if (running && running.exitCode === null && running.signalCode === null) process.kill(-running.pid!, 'SIGKILL');
    running = undefined;
  });

  describe.each(CONSUMERS)(`an app %s, installed by ${manager.name}`, (kind, consumer) => {
    const { type, source, importing, typescript } = consumer;
    let app: string;

    async function execute([command, ...args]: readonly string[], environment: NodeJS.ProcessEnv = {}) {
      return run(command!, args, { cwd: app, env: { ...CLEAN_ENVIRONMENT, ...environment } });
    }
    const install = (...packages: string[]) => execute([...manager.install, ...packages]);

    async function synthesize(file: string, out: string, context: object) {
      const environment = { CDK_OUTDIR: join(app, out), CDK_CONTEXT_JSON: JSON.stringify(context) };
      return execute([process.execPath, file], environment);
    }
    const template = async (out: string, stack: string) =>
      JSON.parse(await readFile(join(app, out, `${stack}.template.json`), 'utf8'));

    beforeAll(async () => {
      app = join(packed.directory, `${manager.name} ${kind}`.replaceAll(' ', '-'));
      await mkdir(join(app, 'server'), { recursive: true });
      await writeFile(join(app, 'server', 'index.js'), 'exports.handler = async () => ({ statusCode: 200 });');
      await writeFile(join(app, 'server', 'package.json'), JSON.stringify({ type: 'commonjs' }));
      await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type }));
      await writeFile(join(app, source), `${IMPORTS.map(importing).join('\n')}\n${APP}`);
      const { peerDependencies } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
      const peers = ['aws-cdk-lib', 'constructs'].map((peer) => `${peer}@${peerDependencies[peer]}`);
      await install(
        packed.tarball,
        ...peers,
        ...(typescript ? [`typescript@${typescript.version}`, '@types/node@24'] : []),
      );
    });

    test('has the package where the package manager puts it', async () => {
      const linked = join(app, 'node_modules', 'mcp-oidc-auth');
      expect((await realpath(linked)) !== (await realpath(app)) + linked.slice(app.length)).toBe(manager.symlinks);
    });

    if (typescript) {
      test('is checked with the types of all libraries', async () => {
        const compilerOptions = { strict: true, skipLibCheck: false, types: ['node'], ...typescript.options };
        await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [source] }));
        const { stdout } = await execute([...manager.exec, 'tsc']).catch((failed) => failed);
        expect(stdout).toBe('');
      });
    }

    test.each([true, false])('synthesizes with all feature flags %s', async (on) => {
      const flags = join(app, 'node_modules', 'aws-cdk-lib', 'recommended-feature-flags.json');
      const recommended = JSON.parse(await readFile(flags, 'utf8'));
      const context = Object.fromEntries(
        Object.entries(recommended).flatMap(([flag, value]) =>
          typeof value === 'boolean' ? [[flag, on]] : on ? [[flag, value]] : [],
        ),
      );
      const { stdout } = await synthesize('app.js', `flags-${on}`, context);
      // What handlers import runs here, too.
      expect(stdout).toBe('true 401\n');
      const { Resources } = await template(`flags-${on}`, 'Consumer');
      const types = Object.values<{ Type: string }>(Resources).map((resource) => resource.Type);
      expect(types).toEqual(expect.arrayContaining(['AWS::ApiGatewayV2::Api', 'AWS::ApiGateway::Authorizer']));
      // The functions' code is what the repository bundled: nothing was bundled anew at the consumer's.
      const assets = (await readdir(join(app, `flags-${on}`))).filter((entry) => entry.startsWith('asset.'));
      const code = await Promise.all(
        assets.map((asset) => readFile(join(app, `flags-${on}`, asset, 'index.js'), 'utf8')),
      );
      for (const bundle of ['authorizer', 'on-deploy', 'provider', 'rotate-keys']) {
        expect(code).toContain(await readFile(join(REPOSITORY, 'assets', bundle, 'index.js'), 'utf8'));
      }
    });

    test('may be what the README shows', async () => {
      await copyFile(join(REPOSITORY, 'dist', 'examples', 'own-app.js'), join(app, 'own-app.cjs'));
      await synthesize('own-app.cjs', 'own-app', {});
      const { Resources } = await template('own-app', 'MyMcpServer');
      const methods = Object.values<{ Type: string; Properties: Record<string, string> }>(Resources)
        .filter(
          ({ Type, Properties }) => Type === 'AWS::ApiGateway::Method' && Properties.AuthorizationType === 'CUSTOM',
        )
        .map(({ Properties }) => Properties.HttpMethod);
      expect(methods.sort()).toEqual(['DELETE', 'GET', 'POST']);
    });

    test('has the commands of operators, which bring all that they need, up to the AWS SDK', async () => {
      const grants = ['people', 'grants', '--table', 'x', '--sub', 'x'.repeat(43)];
      const nowhere = { AWS_REGION: undefined, AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
      await expect(execute([...manager.exec, 'mcp-oidc-auth', ...grants], nowhere)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('No AWS region is set.'),
      });
    });

    test('runs on this machine, once the packages are there that the command asks for by name', async () => {
      const start = (port: number) => [
        ...manager.exec,
        'mcp-oidc-auth',
        'start',
        '--app',
        'node app.js',
        '--port',
        String(port),
      ];
      const { code, stderr } = await execute(start(await freePorts())).catch((failed) => failed);
      expect(code).toBe(1);
      expect(stderr).toContain('@cloud-copilot/iam-simulate, which judges each call');
      const [, asked = ''] = /npm install --save-dev (.*)/.exec(stderr) ?? [];
      await install(...[...asked.matchAll(/"([^"]+)"/g)].map(([, wanted = '']) => wanted));

      const port = await freePorts();
      const [command, ...args] = start(port);
      // In a process group of its own, as at a terminal, where Ctrl-C goes to all of it.
      running = spawn(command!, args, { cwd: app, env: CLEAN_ENVIRONMENT, detached: true, stdio: 'pipe' });
      let output = '';
      for (const stream of [running.stdout!, running.stderr!]) {
        stream.setEncoding('utf8').on('data', (text) => {
          output += text;
        });
      }
      const ended = once(running, 'close');
      const ready = new Promise<void>((done, fail) => {
        running!.stdout!.on('data', () => output.includes('Ctrl-C ends everything.') && done());
        running!.once('close', () => fail(new Error(output)));
      });
      await ready;
      const metadata = await fetch(`http://localhost:${port}/.well-known/oauth-authorization-server`);
      expect(await metadata.json()).toMatchObject({ issuer: `http://localhost:${port}` });
      const refused = await fetch(`http://localhost:${port + 1}/prod/mcp`, { method: 'POST' });
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toContain('resource_metadata=');
      process.kill(-running.pid!, 'SIGINT');
      await ended;
      await expect(fetch(`http://localhost:${port}`)).rejects.toThrow('fetch failed');
    });
  });
}
