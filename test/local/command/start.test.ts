import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { McpApp } from '../../e2e/mcp-app';
import { Browser } from '../../support/browser';
import { freePorts } from '../../support/free-ports';
import { startUpstreamIssuer } from '../../support/upstream-issuer';
import { httpApi, lambda, prefixed, restApi, writeAssembly } from '../fixtures/assembly';

const ROOT = resolve(__dirname, '../../..');
const COMMAND = join(ROOT, 'dist/bin/mcp-oidc-auth.js');
const ECHO =
  'exports.handler = async () => ({ statusCode: 200, body: JSON.stringify({ issuer: process.env.UPSTREAM, client: process.env.CLIENT }) });';

let running: ChildProcess | undefined;
afterEach(() => {
  running?.kill('SIGKILL');
  running = undefined;
});

const PARAMETERS = {
  UpstreamIssuer: { Type: 'String' },
  UpstreamClientId: { Type: 'String' },
  UpstreamSecretName: { Type: 'String' },
};
const UPSTREAM = { UPSTREAM: { Ref: 'UpstreamIssuer' }, CLIENT: { Ref: 'UpstreamClientId' } };
const OUTPUTS = {
  Issuer: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } },
  McpUrl: {
    Value: { 'Fn::Join': ['', ['https://', { Ref: 'RestApi' }, '.execute-api.us-east-1.amazonaws.com/v1/']] },
  },
};

interface App {
  readonly parameters: object;
  /** What the function knows of the identity provider. */
  readonly upstream: object;
  readonly outputs: object;
}

/** A CDK app whose synthesis copies an assembly to where the CDK CLI wants it. */
function app({ parameters = PARAMETERS, upstream = UPSTREAM, outputs = OUTPUTS }: Partial<App> = {}): string {
  const rest = prefixed('Rest', restApi([{ path: '/', method: 'GET', integration: 'Echo' }]));
  const assembly = writeAssembly(
    {
      App: {
        parameters,
        resources: {
          ...lambda('Echo', { Environment: { Variables: upstream } }),
          ...httpApi({ 'GET /': 'Echo' }),
          ...rest,
        },
        outputs,
      },
    },
    { Echo: ECHO },
  );
  const directory = mkdtempSync(join(tmpdir(), 'app-'));
  const copy = `require('fs').cpSync(${JSON.stringify(assembly)}, process.env.CDK_OUTDIR, { recursive: true });
    require('fs').writeFileSync('context.json', process.env.CDK_CONTEXT_JSON);`;
  writeFileSync(join(directory, 'synth.js'), copy);
  writeFileSync(join(directory, 'cdk.json'), JSON.stringify({ app: 'node synth.js', context: { 'some:flag': true } }));
  return directory;
}

interface Run {
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function run(
  directory: string,
  port: number,
  environment: Record<string, string> = {},
  options: readonly string[] = [],
): Run {
  return spawned(directory, [process.execPath, COMMAND, 'start', '--port', String(port), ...options], environment);
}

/** What `npm start` runs here, in a directory whose build leaves a copy of what says who is running. */
function npmStart(directory: string, port: number): Run {
  const { start } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ scripts: { build: 'cp .local/running built' } }));
  for (const part of ['dist', 'local']) symlinkSync(join(ROOT, part), join(directory, part));
  return spawned(directory, ['sh', '-c', `${start} --port ${port}`], {
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  });
}

function spawned(directory: string, [file, ...args]: string[], environment: Record<string, string> = {}): Run {
  const { UPSTREAM_ISSUER, UPSTREAM_CLIENT_ID, UPSTREAM_CLIENT_SECRET, AWS_ENDPOINT_URL_DYNAMODB, ...env } =
    process.env;
  running = spawn(file!, args, {
    cwd: directory,
    env: { ...env, ...environment },
    // Nobody to ask.
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [running.stdout!, running.stderr!]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const ended = once(running, 'close').then(([code]) => code as number | null);
  return { output: () => output, ended };
}

const ready = (started: Run, timeout = 20_000) =>
  expect.poll(started.output, { timeout }).toContain('Ctrl-C ends everything.');

describe('mcp-oidc-auth start', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('runs the app of cdk.json until %s', async (signal) => {
    const [directory, port] = [app(), await freePorts()];
    const started = run(directory, port);
    await ready(started);
    const endpoints = JSON.parse(readFileSync(join(directory, '.local/endpoints.json'), 'utf8'));
    expect(endpoints).toEqual({
      issuer: `http://localhost:${port}`,
      mcpUrl: `http://localhost:${port + 1}/v1/`,
      identityProvider: `http://127.0.0.1:${port + 2}`,
      username: expect.any(String),
      password: expect.any(String),
    });
    for (const shown of Object.values(endpoints)) expect(started.output()).toContain(shown);
    expect(started.output()).toMatch(/Ready after \d+ s\./);
    expect(started.output()).toContain(
      `npx @modelcontextprotocol/inspector@2 --transport http --server-url ${endpoints.mcpUrl}`,
    );
    expect(await (await fetch(endpoints.issuer)).json()).toMatchObject({ issuer: endpoints.identityProvider });
    expect((await fetch(endpoints.mcpUrl)).status).toBe(200);
    expect((await fetch(`${endpoints.identityProvider}/.well-known/openid-configuration`)).status).toBe(200);
    expect(JSON.parse(readFileSync(join(directory, 'context.json'), 'utf8'))).toMatchObject({ 'some:flag': true });

    running!.kill(signal);
    expect(await started.ended).toBe(0);
    expect(existsSync(join(directory, '.local/endpoints.json'))).toBe(false);
    expect(existsSync(join(directory, '.local/running'))).toBe(false);
    for (const url of [endpoints.issuer, endpoints.mcpUrl, endpoints.identityProvider]) {
      await expect(fetch(url)).rejects.toThrow('fetch failed');
    }
  });

  test.each(['UPSTREAM_ISSUER', '--upstream'])('takes an identity provider of your own from %s', async (from) => {
    await using upstream = await startUpstreamIssuer();
    const [directory, port] = [app(), await freePorts()];
    const client = { UPSTREAM_CLIENT_ID: 'mine', UPSTREAM_CLIENT_SECRET: 'hush' };
    const started =
      from === '--upstream'
        ? run(directory, port, { UPSTREAM_ISSUER: 'https://login.example.com', ...client }, [from, upstream.issuer])
        : run(directory, port, { [from]: upstream.issuer, ...client });
    await ready(started);
    expect(await (await fetch(`http://localhost:${port}`)).json()).toEqual({
      issuer: upstream.issuer,
      client: 'mine',
    });
    expect(started.output()).toContain(`Redirect URI       http://localhost:${port}/callback`);
    expect(started.output()).not.toContain('hush');
    await expect(fetch(`http://127.0.0.1:${port + 2}`)).rejects.toThrow('fetch failed');
  });

  test('signs people in at an identity provider of your own, and keeps its secret to itself', async () => {
    await using upstream = await startUpstreamIssuer();
    upstream.claims = { sub: 'ada', email: 'ada@example.com' };
    const directory = mkdtempSync(join(tmpdir(), 'app-'));
    const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
    writeFileSync(join(directory, 'cdk.json'), JSON.stringify({ app: `node ${ROOT}/dist/bin/app.js`, context }));
    const client = { UPSTREAM_CLIENT_ID: 'mine', UPSTREAM_CLIENT_SECRET: 'hush-hush' };
    const started = run(directory, await freePorts(), client, ['--upstream', upstream.issuer]);
    // The real app takes its time to synthesize.
    await ready(started, 60_000);

    const { mcpUrl } = JSON.parse(readFileSync(join(directory, '.local/endpoints.json'), 'utf8'));
    const browser = new Browser();
    const mcpApp = new McpApp(mcpUrl, {
      async authorize(url, redirectUri) {
        const isClient = (address: URL) => address.href.startsWith(redirectUri);
        const answer = await browser.submit(await browser.open(url), 'allow', {}, isClient);
        return answer.url.searchParams;
      },
    });
    await mcpApp.connect();
    expect(await mcpApp.call('whoami')).toContain('ada@example.com');
    await mcpApp.close();

    // It was the secret of the environment that upstream got, in the encoding of RFC 6749 section 2.3.1.
    const [, basic = ''] = upstream.tokenRequests[0]?.authorization?.split(' ') ?? [];
    expect(decodeURIComponent(Buffer.from(basic, 'base64').toString())).toBe('mine:hush-hush');
    expect(started.output()).not.toContain('hush-hush');
    const written = readdirSync(join(directory, '.local'), { recursive: true, withFileTypes: true });
    for (const entry of written.filter((each) => each.isFile())) {
      expect(readFileSync(join(entry.parentPath, entry.name), 'utf8')).not.toContain('hush-hush');
    }
  }, 90_000);

  test.each([
    [{}, 'UPSTREAM_CLIENT_ID and UPSTREAM_CLIENT_SECRET must be set: this is no terminal'],
    [{ UPSTREAM_CLIENT_ID: 'mine' }, 'UPSTREAM_CLIENT_SECRET must be set: this is no terminal'],
  ])('names what it cannot ask for where there is no terminal (here: %j)', async (client, needed) => {
    const directory = app();
    const started = run(directory, await freePorts(), client, ['--upstream', 'https://login.example.com']);
    expect(await started.ended).toBe(1);
    expect(started.output()).toContain(needed);
    expect(readdirSync(join(directory, '.local'))).toEqual([]);
  });

  test('names what is missing where the environment has a client alone', async () => {
    const started = run(app(), await freePorts(), { UPSTREAM_CLIENT_SECRET: 'hush' });
    expect(await started.ended).toBe(1);
    expect(started.output()).toContain('UPSTREAM_ISSUER or --upstream must name the identity provider');
    expect(started.output()).not.toContain('hush');
  });

  test('starts nothing with an issuer that is spelled differently there', async () => {
    await using upstream = await startUpstreamIssuer();
    const directory = app();
    const client = { UPSTREAM_CLIENT_ID: 'mine', UPSTREAM_CLIENT_SECRET: 'hush' };
    const started = run(directory, await freePorts(), client, ['--upstream', `${upstream.issuer}/`]);
    expect(await started.ended).toBe(1);
    expect(started.output()).toContain(`spells the issuer "${upstream.issuer}"`);
    expect(started.output()).not.toContain('Synthesizing');
    expect(readdirSync(join(directory, '.local'))).toEqual([]);
  });

  test.each([0, 1, 2])('names a port that is in use (PORT+%i)', async (offset) => {
    const port = await freePorts();
    const other = createServer().listen(port + offset, '127.0.0.1');
    await once(other, 'listening');
    try {
      const directory = app();
      const started = run(directory, port);
      expect(await started.ended).toBe(1);
      expect(started.output()).toContain(`Port ${port + offset} is in use.`);
      expect(readdirSync(join(directory, '.local'))).toEqual([]);
    } finally {
      other.close();
    }
  });

  test('shows what the app says where it does not synthesize', async () => {
    const directory = app();
    writeFileSync(join(directory, 'synth.js'), 'throw new Error("wrong props");');
    const started = run(directory, await freePorts());
    expect(await started.ended).toBe(1);
    expect(started.output()).toContain('The app does not synthesize: "node synth.js" ended with 1.');
    expect(started.output()).toContain('wrong props');
  });

  test('runs the app that --app names, in a package of ES modules too', async () => {
    const [directory, port] = [app(), await freePorts()];
    renameSync(join(directory, 'synth.js'), join(directory, 'synth.cjs'));
    writeFileSync(
      join(directory, 'cdk.json'),
      JSON.stringify({ app: 'node nothing.js', context: { 'some:flag': true } }),
    );
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module' }));
    const started = run(directory, port, {}, ['--app', 'node synth.cjs']);
    await ready(started);
    expect((await fetch(`http://localhost:${port}`)).status).toBe(200);
    expect(JSON.parse(readFileSync(join(directory, 'context.json'), 'utf8'))).toMatchObject({ 'some:flag': true });
  });

  test('needs no cdk.json with --app', async () => {
    const [directory, port] = [app(), await freePorts()];
    rmSync(join(directory, 'cdk.json'));
    const started = run(directory, port, {}, ['--app', 'node synth.js']);
    await ready(started);
    expect(JSON.parse(readFileSync(join(directory, 'context.json'), 'utf8'))).toEqual({});
  });

  test('says that nobody signs in at the identity provider that is shown, where the app has values of its own', async () => {
    const { UpstreamClientId } = PARAMETERS;
    const upstream = { UPSTREAM: 'https://login.example.com', CLIENT: { Ref: 'UpstreamClientId' } };
    const [directory, port] = [app({ parameters: { UpstreamClientId }, upstream }), await freePorts()];
    const started = run(directory, port);
    await ready(started);
    expect(started.output()).toContain('The app declares no parameter UpstreamIssuer, UpstreamSecretName, so people');
    expect(await (await fetch(`http://localhost:${port}`)).json()).toMatchObject({
      issuer: 'https://login.example.com',
    });
  });

  test('shows what to add to an app without the outputs', async () => {
    const started = run(app({ outputs: {} }), await freePorts());
    expect(await started.ended).toBe(1);
    expect(started.output()).toContain("new CfnOutput(stack, 'Issuer', { value: auth.issuer });");
    expect(started.output()).toContain("new CfnOutput(stack, 'McpUrl', { value: mcp.url });");
  });

  test('asks for the packages that it needs and that are not there, and for no others', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'package-'));
    for (const part of ['package.json', 'dist/bin', 'dist/local']) {
      cpSync(join(ROOT, part), join(directory, part), { recursive: true });
    }
    mkdirSync(join(directory, 'node_modules'));
    symlinkSync(join(ROOT, 'node_modules/oidc-provider'), join(directory, 'node_modules/oidc-provider'));
    const start = () => spawned(directory, [process.execPath, 'dist/bin/mcp-oidc-auth.js', 'start']);
    const without = start();
    expect(await without.ended).toBe(1);
    const [, asked = ''] = /npm install --save-dev (.*)/.exec(without.output()) ?? [];
    expect(asked.match(/@?[\w/-]+(?=@)/g)).toEqual(['@cloud-copilot/iam-simulate', '@smithy/signature-v4', 'dynalite']);

    for (const name of ['@cloud-copilot', '@smithy/signature-v4', 'dynalite', 'jose']) {
      mkdirSync(dirname(join(directory, 'node_modules', name)), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), join(directory, 'node_modules', name));
    }
    const started = start();
    await started.ended;
    expect(started.output()).toContain('There is no cdk.json in');
  });

  test('needs a CDK app', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'empty-'));
    const started = run(directory, await freePorts());
    expect(await started.ended).toBe(1);
    expect(started.output()).toContain('There is no cdk.json in');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('leaves no endpoints of an earlier start where it fails', async () => {
    const directory = app();
    mkdirSync(join(directory, '.local'));
    writeFileSync(join(directory, '.local/endpoints.json'), '{}');
    writeFileSync(join(directory, 'synth.js'), 'throw new Error("wrong props");');
    expect(await run(directory, await freePorts()).ended).toBe(1);
    expect(readdirSync(join(directory, '.local'))).toEqual([]);
  });

  test.each([
    ['mcp-oidc-auth start', run],
    ['npm start', npmStart],
  ])('%s does not touch what runs already', async (_, start) => {
    const directory = app();
    mkdirSync(join(directory, '.local'));
    writeFileSync(join(directory, '.local/running'), `${process.pid}\n`);
    writeFileSync(join(directory, '.local/endpoints.json'), '{}');
    const started = start(directory, await freePorts());
    expect(await started.ended).toBe(1);
    expect(started.output()).toContain(`is running already, as process ${process.pid}`);
    expect(readdirSync(join(directory, '.local'))).toEqual(['endpoints.json', 'running']);
    expect(readFileSync(join(directory, '.local/running'), 'utf8')).toBe(`${process.pid}\n`);
    expect(existsSync(join(directory, 'built'))).toBe(false);
  });

  test('npm start holds its directory from before the build, whoever held it and has ended', async () => {
    const directory = app();
    const earlier = spawn(process.execPath, ['--version']);
    await once(earlier, 'close');
    mkdirSync(join(directory, '.local'));
    writeFileSync(join(directory, '.local/running'), `${earlier.pid}\n`);
    const started = npmStart(directory, await freePorts());
    await ready(started);
    expect(readFileSync(join(directory, 'built'), 'utf8')).toBe(`${running!.pid}\n`);
    expect(readFileSync(join(directory, '.local/running'), 'utf8')).toBe(`${running!.pid}\n`);
    running!.kill('SIGINT');
    expect(await started.ended).toBe(0);
    expect(existsSync(join(directory, '.local/running'))).toBe(false);
  });

  test('counts the time of the build', async () => {
    const started = run(app(), await freePorts(), {
      MCP_OIDC_AUTH_STARTED_AT: String(Math.floor(Date.now() / 1000) - 600),
    });
    await ready(started);
    expect(started.output()).toMatch(/Ready after 6\d\d s\./);
  });

  test.each(['24.0.0', '20.20.2', '26.1.0'])('runs on Node 24 alone (here: %s)', async (version) => {
    const directory = mkdtempSync(join(tmpdir(), 'empty-'));
    const preload = join(directory, 'version.cjs');
    writeFileSync(preload, `Object.defineProperty(process.versions, 'node', { value: '${version}' });`);
    const started = run(directory, await freePorts(), { NODE_OPTIONS: `--require ${preload}` });
    expect(await started.ended).toBe(1);
    const [told, untold] = ["npx -p node@24 -c 'mcp-oidc-auth start'", 'There is no cdk.json'];
    expect(started.output()).toContain(version === '24.0.0' ? untold : told);
    expect(started.output()).not.toContain(version === '24.0.0' ? told : untold);
  });

  test.each([['--help'], ['start', '--help'], ['-h']])('shows its usage for %s %s', async (...args) => {
    const started = spawned(tmpdir(), [process.execPath, COMMAND, ...args]);
    expect(await started.ended).toBe(0);
    expect(started.output()).toMatch(/^Usage: mcp-oidc-auth start/);
  });

  test('turns keys over as often as --rotate-every says, which the app is synthesized with', async () => {
    const [directory, port] = [app(), await freePorts()];
    const started = run(directory, port, {}, ['--rotate-every', '12']);
    await ready(started);
    const context = JSON.parse(readFileSync(join(directory, 'context.json'), 'utf8'));
    expect(context).toEqual({ 'some:flag': true, 'mcp-oidc-auth:rotateEvery': 12 });
    expect(started.output()).toContain('rotate every 12 s');
    running!.kill('SIGTERM');
    expect(await started.ended).toBe(0);
  });

  test.each(['9', '10.5', 'often', ''])('does not turn keys over every %s seconds', async (seconds) => {
    const refused = run(app(), await freePorts(), {}, ['--rotate-every', seconds]);
    expect(await refused.ended).toBe(1);
    expect(refused.output()).toContain(`--rotate-every needs a whole number of seconds, 10 at least, got ${seconds}.`);
  });

  test('shows its usage for what it does not know, and fails', async () => {
    const started = spawned(tmpdir(), [process.execPath, COMMAND, 'stop']);
    expect(await started.ended).toBe(1);
    expect(started.output()).toMatch(/^Usage: mcp-oidc-auth start/);
  });
});
