// A plugin for esbuild that leaves out of the provider's bundle what every start would load and no request needs. docs/performance.md says
// what it is worth. Whatever a part that is replaced here was needed for after all fails where it is used, at the latest in the first
// end-to-end test.
import { readFileSync } from 'node:fs';

/** Media types that the engine writes, reads or chooses between, of the 2,500 that its framework knows: two copies of 140 KiB. */
const MEDIA_TYPES = [
  'application/json',
  'application/jwk-set+json',
  'application/jwt',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/html',
  'text/plain',
];

/** What the provider asks AWS for. */
const OPERATIONS = ['BatchGetItem', 'DeleteItem', 'GetSecretValue', 'PutItem', 'Query', 'UpdateItem'];

const command = (operation) =>
  `export class ${operation}Command { schema = [, , '${operation}']; constructor(input) { this.input = input; } }`;
/** The error that it knows by its class. */
const CONDITION_FAILED = `export class ConditionalCheckFailedException extends Error {
  name = 'ConditionalCheckFailedException';
  constructor({ message, ...fields }) { super(message); Object.assign(this, fields, { $fault: 'client' }); }
}`;

/** File by file, as its path ends: what stands there instead of its text. */
const REPLACEMENTS = [
  [
    'mime-db/db.json',
    (text) => {
      const all = JSON.parse(text);
      return JSON.stringify(Object.fromEntries(MEDIA_TYPES.map((type) => [type, all[type]])));
    },
  ],
  // Of a command, lambda/aws/lambda-client.ts reads the input and the operation's name. The SDK's own know the whole model of the service.
  ...['client-dynamodb', 'client-secrets-manager'].map((name) => [
    `@aws-sdk/${name}/dist-es/index.js`,
    () => [...OPERATIONS.map(command), CONDITION_FAILED].join('\n'),
  ]),
  // Where the SDK's clients, of which there are none here, find out about endpoints: in files of a person's laptop.
  [
    '@smithy/core/dist-es/submodules/endpoints/middleware-endpoint/adaptors/getEndpointFromConfig.js',
    () => 'export const getEndpointFromConfig = async () => undefined;',
  ],
  // koa asks of every answer whether it is a Response, for which Node loads all of its fetch. The engine answers with none of these.
  ...['application', 'response'].map((name) => [
    `koa/lib/${name}.js`,
    (text) => `class Response {} class Blob {} class ReadableStream {}\n${text}`,
  ]),
  // Whether a stream is one of zlib's, for which it loads zlib. The engine answers with no stream.
  ['destroy/index.js', () => 'module.exports = (stream) => stream.destroy();'],
  // The engine asserts in the plain form alone. The rest compares deeply, and brings an http-errors of its own.
  [
    'koa/lib/context.js',
    (text) =>
      text.replace("require('http-assert')", '(value, ...refusal) => { if (!value) throw createError(...refusal); }'),
  ],
  // Warns whoever calls what koa has deprecated, and looks through the stack for that.
  [
    'depd/index.js',
    () => 'module.exports = () => Object.assign(() => {}, { function: (called) => called, property: () => {} });',
  ],
  // What it prints, when DEBUG asks it to, are requests with all their secrets.
  ['debug/src/index.js', () => 'module.exports = () => Object.assign(() => {}, { enabled: false });'],
  // For a list as English writes it, Node loads what it knows of languages: 8 ms. Only refusals have lists.
  [
    'oidc-provider/lib/helpers/formatters.js',
    (text) => `const Intl = {
      ListFormat: function (...of) { this.format = (list) => new globalThis.Intl.ListFormat(...of).format(list); },
    };\n${text}`,
  ],
  // Endpoints of features that lambda/provider/engine.ts leaves off. Turned on, they throw when the engine is made.
  ...['challenge', 'credential', 'openid_credential_issuer', 'userinfo'].map((name) => [
    `oidc-provider/lib/actions/${name}.js`,
    () => 'export default undefined;',
  ]),
  ['oidc-provider/lib/actions/code_verification.js', () => 'export let get, post;'],
  ['oidc-provider/lib/actions/interaction.js', () => 'export let abort, initialize, render, submit;'],
];

const NOTHING = { path: 'nothing', namespace: 'lean' };
const ASSERT = { path: 'assert', namespace: 'lean' };

export const lean = {
  name: 'lean',
  setup({ onEnd, onLoad, onResolve }) {
    const unused = new Set(REPLACEMENTS.map(([end]) => end));
    onLoad({ filter: /[\\/]node_modules[\\/].*\.(js|json)$/ }, ({ path }) => {
      const [end, replace] =
        REPLACEMENTS.find(([end]) => path.replaceAll('\\', '/').endsWith(`/node_modules/${end}`)) ?? [];
      if (!end) return undefined;
      unused.delete(end);
      const text = readFileSync(path, 'utf8');
      const contents = replace(text);
      if (contents === text) return { errors: [{ text: `There is nothing to leave out of ${end}` }] };
      return { contents, loader: end.endsWith('.json') ? 'json' : 'js' };
    });

    // What the SDK's parts load when it is needed never is: answers that are streams of events. While it could be, all that it shares with
    // the rest is bundled as modules of their own, each of them whole.
    onResolve({ filter: /^[@.]/ }, ({ kind, importer }) =>
      kind === 'dynamic-import' && /[\\/]node_modules[\\/]@(aws-sdk|smithy)[\\/]/.test(importer) ? NOTHING : undefined,
    );
    onLoad({ filter: /^nothing$/, namespace: 'lean' }, () => ({ contents: 'export {};' }));

    // Loaded where an assertion fails, to say so.
    onResolve({ filter: /^node:assert$/ }, ({ namespace }) => (namespace === 'file' ? ASSERT : undefined));
    onLoad({ filter: /^assert$/, namespace: 'lean' }, () => ({
      contents: `module.exports = (...of) => { if (!of[0]) require('node:assert')(...of); };
        module.exports.equal = (...of) => { if (of[0] !== of[1]) require('node:assert').strictEqual(...of); };
        module.exports.strict = module.exports;`,
    }));

    // In a file of its own, which requests that have nothing to ask upstream do not wait for.
    onResolve({ filter: /^\.\/openid-client$/ }, () => ({ path: './openid-client.js', external: true }));

    onEnd(() => {
      if (unused.size === 0) return {};
      return { errors: [{ text: `There is nothing to leave out of ${[...unused].join(', ')}` }] };
    });
  },
};
