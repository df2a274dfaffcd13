import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { posix } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

/** What files below a folder may import: a path of this repository, or the name of a package. */
interface Law {
  readonly in: RegExp;
  readonly allows: (imported: string) => boolean;
}

const inside = (folder: string) => (imported: string) => imported.startsWith(`${folder}/`);
const isPackage = (imported: string) =>
  !/^(bin|examples|hosts|lambda|lib|local|operator|smoke|stores|test|dist|assets)(\/|$)/.test(imported);
const isOf = (imported: string, packages: string[]) =>
  packages.some((name) => imported === name || imported.startsWith(`${name}/`));
const isConstruct = (imported: string) => isOf(imported, ['aws-cdk-lib', 'constructs', 'mcp-oidc-auth']);
const isLambdaOnly = (imported: string) =>
  isOf(imported, ['aws-lambda', '@aws-lambda-powertools', '@middy', '@types/aws-lambda']);

const isDatabase = (imported: string) => isOf(imported, ['@aws-sdk/client-dynamodb', 'keyv', '@keyv']);

const CONTRACT = [
  'lib/contract',
  'lib/counted-events',
  'lib/loopback',
  'lib/page-appearance',
  'lib/page-words',
  'lib/scope-names',
];

/** What constructs and hosts have in common: what options may be, whoever takes them, and what browsers may send to an MCP server. */
const SHARED_WITH_HOSTS = [
  'lib/appearance-rules',
  'lib/client-metadata-rules',
  'lib/color',
  'lib/language-tag',
  'lib/lifetime-rules',
  'lib/mcp-headers',
  'lib/page-word-rules',
  'lib/refusal',
  'lib/registration-rules',
  'lib/resource-rules',
  'lib/upstream-rules',
];

const LAWS: Law[] = [
  {
    // Synth time: the peers and nothing else, so that importing the construct needs nothing else.
    in: /^lib\//,
    allows: (imported) =>
      inside('lib')(imported) || isOf(imported, ['aws-cdk-lib', 'constructs']) || imported.startsWith('node:'),
  },
  {
    // What rooms without a construct import too.
    in: new RegExp(`^(${[...CONTRACT, ...SHARED_WITH_HOSTS].join('|')})\\.ts$`),
    allows: (imported) => [...CONTRACT, ...SHARED_WITH_HOSTS].includes(imported) || imported.startsWith('node:'),
  },
  {
    // Request time: no construct, and of lib only what both sides agree on.
    in: /^lambda\//,
    allows: (imported) =>
      inside('lambda')(imported) || CONTRACT.includes(imported) || (isPackage(imported) && !isConstruct(imported)),
  },
  {
    // The authorizer stands before every call: it has to start fast.
    in: /^lambda\/authorizer\//,
    allows: (imported) =>
      !isPackage(imported) || isOf(imported, ['jose', 'aws-lambda']) || imported.startsWith('node:'),
  },
  {
    // The authorization server runs outside Lambda too.
    in: /^lambda\/provider\/(?!handler\.)/,
    allows: (imported) => !isLambdaOnly(imported) && imported !== 'lambda/lambda-log',
  },
  {
    // And elsewhere than on AWS.
    in: /^lambda\/provider\/(?!handler\.)/,
    allows: (imported) => !inside('lambda/aws')(imported) && !imported.startsWith('@aws-sdk/'),
  },
  {
    // And on other databases: it knows the store's interface alone.
    in: /^lambda\/provider\/(?!handler\.)/,
    allows: (imported) =>
      (!inside('lambda/store')(imported) || imported === 'lambda/store/store') && !isDatabase(imported),
  },
  {
    // Reads the synthesized template and runs the bundles, so that what runs here is what is deployed.
    in: /^local\//,
    allows: (imported) => inside('local')(imported) || (isPackage(imported) && !isConstruct(imported)),
  },
  {
    // What operators run by hand: the functions' own code on the same table, or the hosts' on the same store, in a bundle that no construct
    // belongs to, and no host.
    in: /^operator\//,
    allows: (imported) =>
      inside('operator')(imported) ||
      inside('lambda')(imported) ||
      ['hosts/environment', 'hosts/kept-keys', 'stores/store-from-url', ...CONTRACT].includes(imported) ||
      (isPackage(imported) && !isConstruct(imported) && !isLambdaOnly(imported)),
  },
  {
    // The hosts that are not AWS: the server and the stores, in a bundle that no construct belongs to.
    in: /^hosts\//,
    allows: (imported) =>
      ['hosts', 'lambda/authorizer', 'lambda/provider', 'lambda/key-set', 'lambda/rotate-keys', 'stores'].some(
        (folder) => inside(folder)(imported),
      ) ||
      ['lambda/store/store', 'lambda/resource-server/upstream-token-error', ...CONTRACT, ...SHARED_WITH_HOSTS].includes(
        imported,
      ) ||
      (isPackage(imported) && !isConstruct(imported) && !isLambdaOnly(imported) && !isOf(imported, ['@aws-sdk'])),
  },
  {
    // The stores of hosts that are not AWS: the store's interface and keys, and a limit of time, in no bundle of a function.
    in: /^stores\//,
    allows: (imported) =>
      inside('stores')(imported) ||
      inside('lambda/store')(imported) ||
      ['lambda/provider/time-limit', ...CONTRACT].includes(imported) ||
      (isPackage(imported) && !isConstruct(imported) && !isLambdaOnly(imported)),
  },
  {
    // Judges a deployed stack from outside: nothing of what it judges.
    in: /^smoke\//,
    allows: (imported) => inside('smoke')(imported) || isOf(imported, ['jose']) || imported.startsWith('node:'),
  },
];

/** Everything that a file imports, types included, as esbuild's parser sees it. */
async function importsOf(path: string, source: string): Promise<string[]> {
  const imports: string[] = [];
  await build({
    stdin: {
      // `import type` leaves no trace in what runs, but it is an import all the same.
      contents: source.replace(/^(\s*(?:import(?= type [\w*{])|export(?= type [*{]))) type /gm, '$1 '),
      sourcefile: path,
      loader: 'ts',
      resolveDir: '/',
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    plugins: [
      {
        name: 'note every import',
        setup: ({ onResolve }) =>
          onResolve({ filter: /.*/ }, ({ path: imported }) => {
            imports.push(
              imported.startsWith('.') ? posix.join(posix.dirname(path), imported).replace(/\.m?js$/, '') : imported,
            );
            return { path: imported, external: true };
          }),
      },
    ],
  });
  return imports;
}

/** The imports of a file that a law forbids. */
async function violations(path: string, source: string): Promise<string[]> {
  const laws = LAWS.filter((law) => law.in.test(path));
  const imports = await importsOf(path, source);
  return imports
    .filter((imported) => laws.some((law) => !law.allows(imported)))
    .map((imported) => `${path}: ${imported}`);
}

test('every file keeps the import law', async () => {
  const found: string[] = [];
  let files = 0;
  for await (const path of glob('{hosts,lib,lambda,local,operator,smoke,stores}/**/*.{ts,mts,cts}')) {
    files += 1;
    found.push(...(await violations(path, readFileSync(path, 'utf8'))));
  }
  expect(found).toEqual([]);
  expect(files).toBeGreaterThan(50);
});

test('no file of the authorization server but its handler speaks of Lambda events', async () => {
  for await (const path of glob('lambda/provider/**/*.{ts,mts,cts}')) {
    if (!/\/handler\.m?ts$/.test(path)) {
      expect(readFileSync(path, 'utf8'), path).not.toMatch(/APIGateway\w*Event|LambdaContext|\bawslambda\b/);
    }
  }
});

describe('the import law forbids', () => {
  test.each([
    ['lib/a.ts', "import { Store } from '../lambda/store/dynamo-store';", 'lambda/store/dynamo-store'],
    ['lib/a.ts', "import type { Store } from '../lambda/store/dynamo-store';", 'lambda/store/dynamo-store'],
    ['lib/a.ts', "export type { Store } from '../lambda/store/dynamo-store';", 'lambda/store/dynamo-store'],
    ['lib/a.ts', "import { type Store } from '../lambda/store/dynamo-store';", 'lambda/store/dynamo-store'],
    ['lib/a.ts', "export * from '../local/start';", 'local/start'],
    ['lib/lifetime-rules.ts', "import { Duration } from 'aws-cdk-lib';", 'aws-cdk-lib'],
    ['lib/refusal.ts', "import { refuse } from './validation';", 'lib/validation'],
    ['lib/a.ts', "const jose = require('jose'); jose();", 'jose'],
    ['lib/a.ts', "const jose = import('jose');", 'jose'],
    ['lambda/a/b.ts', "import { McpOidcAuth } from '../../lib/mcp-oidc-auth';", 'lib/mcp-oidc-auth'],
    ['lambda/a/b.ts', "import { McpOidcAuth } from '../../lib';", 'lib'],
    ['lambda/a/b.ts', "import { McpOidcAuth } from 'mcp-oidc-auth';", 'mcp-oidc-auth'],
    ['lambda/a/b.ts', "import { Duration } from 'aws-cdk-lib';", 'aws-cdk-lib'],
    ['lambda/a/b.ts', "import { NotesStack } from '../../examples/notes-stack';", 'examples/notes-stack'],
    ['lambda/authorizer/a.ts', "import { DynamoDB } from '@aws-sdk/client-dynamodb';", '@aws-sdk/client-dynamodb'],
    ['lambda/provider/edge.ts', "import type { Context } from 'aws-lambda';", 'aws-lambda'],
    ['lambda/provider/pages/a.ts', "import middy from '@middy/core';", '@middy/core'],
    ['lambda/provider/a.ts', "import type { DynamoStore } from '../store/dynamo-store';", 'lambda/store/dynamo-store'],
    ['lambda/provider/a.ts', "import { DynamoDB } from '@aws-sdk/client-dynamodb';", '@aws-sdk/client-dynamodb'],
    ['lambda/provider/a.ts', "import { Keyv } from 'keyv';", 'keyv'],
    [
      'lambda/provider/a.ts',
      "import { Logger } from '@aws-lambda-powertools/logger';",
      '@aws-lambda-powertools/logger',
    ],
    ['lambda/provider/a.ts', "import { lambdaLog } from '../lambda-log';", 'lambda/lambda-log'],
    ['lambda/a/b.ts', "import { operate } from '../../operator';", 'operator'],
    ['lambda/provider/a.ts', "import { ClientSecret } from '../aws/client-secret';", 'lambda/aws/client-secret'],
    ['lambda/a/b.ts', "import { hostedServer } from '../../hosts/hosted-server';", 'hosts/hosted-server'],
    ['lambda/a/b.ts', "import { checkAllow } from '../../lib/upstream-rules';", 'lib/upstream-rules'],
    ['hosts/a.ts', "import { refuse } from '../lib/validation';", 'lib/validation'],
    ['stores/a.ts', "import { hostedServer } from '../hosts/hosted-server';", 'hosts/hosted-server'],
    ['hosts/a.ts', "import { DynamoStore } from '../lambda/store/dynamo-store';", 'lambda/store/dynamo-store'],
    ['hosts/a.ts', "import { App } from 'aws-cdk-lib';", 'aws-cdk-lib'],
    ['operator/a.ts', "import { McpOidcAuth } from '../lib/mcp-oidc-auth';", 'lib/mcp-oidc-auth'],
    ['operator/a.ts', "import { App } from 'aws-cdk-lib';", 'aws-cdk-lib'],
    ['operator/a.ts', "import { startStack } from '../local/start';", 'local/start'],
    ['lambda/a/b.ts', "import { storeFor } from '../../stores/store-for';", 'stores/store-for'],
    ['operator/a.ts', "import { hostedServer } from '../hosts/hosted-server';", 'hosts/hosted-server'],
    ['stores/a.ts', "import { AuthorizationServer } from '../lambda/provider/server';", 'lambda/provider/server'],
    ['stores/a.ts', "import { startDynamoDb } from '../local/aws/dynamodb';", 'local/aws/dynamodb'],
    ['stores/a.ts', "import { App } from 'aws-cdk-lib';", 'aws-cdk-lib'],
    ['local/a.ts', "import { operate } from '../operator/index';", 'operator/index'],
    ['local/a.ts', "import { CONFIG } from '../lib/contract';", 'lib/contract'],
    ['local/a.ts', "import type { App } from 'aws-cdk-lib';", 'aws-cdk-lib'],
    ['smoke/a.ts', "import { verifyBearer } from '../lambda/authorizer/bearer';", 'lambda/authorizer/bearer'],
    ['smoke/a.ts', "import { Client } from '@modelcontextprotocol/client';", '@modelcontextprotocol/client'],
    ['local/a/b.ts', "import { handler } from '../../lambda/provider/handler.mjs';", 'lambda/provider/handler'],
  ])('%s: %s', async (path, source, imported) => {
    expect(await violations(path, source)).toEqual([`${path}: ${imported}`]);
  });
});

describe('the import law allows', () => {
  test.each([
    ['lib/a.ts', "import { join } from 'node:path'; import { CONFIG } from './contract';"],
    ['lambda/a/b.ts', "import { CONFIG } from '../../lib/contract'; import { jwtVerify } from 'jose';"],
    ['lambda/provider/handler.ts', "import middy from '@middy/core'; import type { Context } from 'aws-lambda';"],
    [
      'operator/a.ts',
      "import { DynamoStore } from '../lambda/store/dynamo-store'; import { TABLE } from '../lib/contract';",
    ],
    ['hosts/a.ts', "import { checkAllow } from '../lib/upstream-rules';"],
    ['lambda/provider/a.ts', "import type { Store } from '../store/store';"],
    ['stores/a.ts', "import type { Store } from '../lambda/store/store'; import { Keyv } from 'keyv';"],
    ['local/a.ts', "import dynalite from 'dynalite'; import { b } from './b';"],
  ])('%s: %s', async (path, source) => {
    expect(await violations(path, source)).toEqual([]);
  });
});
