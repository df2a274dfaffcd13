import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const repository = resolve(__dirname, '..', '..');
const installed = (name: string) => join(repository, 'node_modules', name);

/** What the examples need beside this package, and not the construct's peers. */
const PACKAGES = ['@keyv', '@modelcontextprotocol', '@types', 'express', 'jose', 'keyv', 'undici-types', 'zod'];

let app: string;

/** The package as npm would install it, beside what someone with an MCP server in Express has. */
beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), 'express-app-'));
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', app], {
    cwd: repository,
  });
  const [{ filename }] = JSON.parse(packed.stdout);
  const target = join(app, 'node_modules', 'mcp-oidc-auth');
  await mkdir(target, { recursive: true });
  await run('tar', ['xzf', join(app, filename), '-C', target, '--strip-components=1']);
  for (const name of PACKAGES) {
    await mkdir(dirname(join(app, 'node_modules', name)), { recursive: true });
    await symlink(installed(name), join(app, 'node_modules', name));
  }
});

it('has types that are right for CommonJS and for ES modules, and hold without skipLibCheck', async () => {
  for (const extension of ['cts', 'mts']) {
    await copyFile(join(repository, 'examples/integrated.ts'), join(app, `integrated.${extension}`));
    await copyFile(join(repository, 'examples/resource-servers/express.ts'), join(app, `express.${extension}`));
  }
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  };
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const { stdout } = await run(installed('.bin/tsc'), ['-p', app]).catch((error) => error);
  expect(stdout).toBe('');
});

describe.each([
  ['CommonJS', 'app.cjs', (names: string, from: string) => `const ${names} = require('${from}');`],
  ['ES modules', 'app.mjs', (names: string, from: string) => `import ${names} from '${from}';`],
])('in %s', (_, file, importing) => {
  it("is one copy, and throws the SDK's own error for an invalid token", async () => {
    const code = `
${importing('{ createMcpAuthProvider, setupMcpExpress }', 'mcp-oidc-auth/mcp')}
${importing('{ OidcClient }', 'mcp-oidc-auth/oidc')}
${importing('{ InvalidTokenError }', '@modelcontextprotocol/sdk/server/auth/errors.js')}
${importing('{ Keyv }', 'keyv')}
const baseUrl = 'http://localhost:4001';
const store = new Keyv();
const idpClient = new OidcClient({ issuer: 'http://localhost:1', clientId: 'a', clientSecret: 'b', redirectUri: baseUrl + '/oauth/callback' });
setupMcpExpress({ idpClient, store, baseUrl, secret: 'a secret of thirty-two characters' });
const { proxyOAuthServerProviderConfig } = createMcpAuthProvider({ oidcBaseUrl: baseUrl, store, mcpServerBaseUrl: 'http://localhost:4002' });
proxyOAuthServerProviderConfig.verifyAccessToken('x').catch((error) => {
  console.log(error instanceof InvalidTokenError);
  process.exit();
});
`;
    await writeFile(join(app, file), code);
    const { stdout } = await run(process.execPath, [join(app, file)]);
    expect(stdout.trim().split('\n').at(-1)).toBe('true');
  });
});

it.each([
  [undefined, 'it is not installed'],
  ['4.21.2', 'found 4.21.2'],
])('says what to install where Express is %s', async (version, found) => {
  const directory = await mkdtemp(join(tmpdir(), 'no-express-'));
  const bundle = join(repository, 'assets', 'hosts', 'index.js');
  await mkdir(join(directory, 'hosts'));
  await copyFile(bundle, join(directory, 'hosts', 'index.js'));
  if (version) {
    await mkdir(join(directory, 'node_modules', 'express'), { recursive: true });
    await writeFile(join(directory, 'node_modules', 'express', 'package.json'), JSON.stringify({ version }));
  }
  const file = join(directory, 'app.cjs');
  await writeFile(
    file,
    `require('./hosts').createMcpAuthProvider({ oidcBaseUrl: 'http://localhost:1', store: new Map(), mcpServerBaseUrl: 'http://localhost:2' });`,
  );
  await expect(run(process.execPath, [file])).rejects.toThrow(
    `mcp-oidc-auth/mcp needs Express 5; ${found}: npm install express@5`,
  );
});
