import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import type * as Examples from '../examples/notes-stack';
import type * as DemoProvider from '../local/identity-provider/start';
import type * as Local from '../local/start';
import type { Browser } from '../test/support/browser';
import { Person } from './person';
import { writeInto } from './report';
import { progress, quantile } from './statistics';

/** What ran: the compiled package, as `npm start` runs it. */
const compiled = <Module>(path: string) => require(join(process.cwd(), 'dist', path)) as Module;

const SECONDS = Number(process.argv[2] ?? 60);
const REDIRECT_URI = 'http://localhost:45678/callback';
/** At once. Ten instances of a function run here at most. */
const WORKERS = { 'sign-in': 2, refresh: 3, 'authorized call': 3 };

type Kind = keyof typeof WORKERS;

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oidc-auth-load-'));
  const assembly = join(directory, 'cdk.out');
  progress('Synthesizing and starting the stack');
  const { NotesStack } = compiled<typeof Examples>('examples/notes-stack.js');
  const app = new App({ outdir: assembly, context: JSON.parse(readFileSync('cdk.json', 'utf8')).context });
  // The throttle is there to turn load away, which is not what is asked here.
  new NotesStack(app, 'McpOidcAuth', { auth: { throttle: { rateLimit: 5_000, burstLimit: 5_000 } } });
  app.synth();
  const issuerPort = 40_000 + (process.pid % 20_000);
  const { startIdentityProvider } = compiled<typeof DemoProvider>('local/identity-provider/start.js');
  const identityProvider = await startIdentityProvider({
    port: 0,
    redirectUri: `http://localhost:${issuerPort}/callback`,
  });
  const stack = await compiled<typeof Local>('local/start.js').startStack({
    assembly,
    ports: { issuer: issuerPort, mcp: 0 },
    parameters: {
      UpstreamIssuer: identityProvider.issuer,
      UpstreamClientId: identityProvider.clientId,
      UpstreamSecretName: 'upstream-client-secret',
    },
    secrets: { 'upstream-client-secret': identityProvider.clientSecret },
    stateDirectory: directory,
    onLog: () => {},
  });
  try {
    const { Issuer: issuer = '', McpUrl: mcpUrl = '' } = stack.outputs;
    const account = identityProvider.users[0]!;
    const newPerson = async () => {
      const signInUpstream = async (
        browser: Browser,
        page: Awaited<ReturnType<Browser['open']>>,
        atClient: (url: URL) => boolean,
      ) =>
        page.url.origin === identityProvider.issuer ? browser.submit(page, undefined, { ...account }, atClient) : page;
      const person = new Person((url, init) => fetch(url, { ...init, redirect: 'manual' }), mcpUrl, {
        redirectUri: REDIRECT_URI,
        issuer,
        signInUpstream,
      });
      await person.register();
      return person;
    };
    report(await drive(newPerson, mcpUrl));
  } finally {
    await Promise.all([stack.close(), identityProvider.close()]);
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Outcome {
  readonly milliseconds: Record<Kind, number[]>;
  readonly errors: string[];
}

async function drive(newPerson: () => Promise<Person>, mcpUrl: string): Promise<Outcome> {
  const outcome: Outcome = { milliseconds: { 'sign-in': [], refresh: [], 'authorized call': [] }, errors: [] };
  const until = performance.now() + SECONDS * 1000;
  const work = async (kind: Kind) => {
    const person = await newPerson();
    let accessToken = await person.redeem(await person.signIn());
    const acts: Record<Kind, () => Promise<unknown>> = {
      'sign-in': async () => person.redeem(await person.signIn()),
      refresh: async () => {
        accessToken = await person.refresh();
      },
      'authorized call': () => call(mcpUrl, accessToken),
    };
    while (performance.now() < until) {
      const began = performance.now();
      try {
        await acts[kind]();
        outcome.milliseconds[kind].push(performance.now() - began);
      } catch (error) {
        outcome.errors.push(`${kind}: ${error}`);
      }
    }
  };
  progress(
    `${Object.entries(WORKERS)
      .map(([kind, count]) => `${count} x ${kind}`)
      .join(', ')}, for ${SECONDS} seconds`,
  );
  const ticking = setInterval(() => {
    const counts = Object.entries(outcome.milliseconds).map(([kind, { length }]) => `${length} x ${kind}`);
    progress(`  ${counts.join(', ')}, ${outcome.errors.length} errors`);
  }, 10_000);
  await Promise.all(
    (Object.keys(WORKERS) as Kind[]).flatMap((kind) => Array.from({ length: WORKERS[kind] }, () => work(kind))),
  );
  clearInterval(ticking);
  return outcome;
}

async function call(mcpUrl: string, accessToken: string): Promise<void> {
  const response = await fetch(mcpUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });
  const text = await response.text();
  if (response.status !== 200 || !text.includes('"tools"')) throw new Error(`${response.status} ${text}`);
}

function report({ milliseconds, errors }: Outcome): void {
  const lines = Object.entries(milliseconds).map(([kind, times]) => {
    const at = (q: number) => quantile(times, q).toFixed(0);
    const rate = (times.length / SECONDS).toFixed(1);
    return `| ${kind} | ${WORKERS[kind as Kind]} | ${times.length} | ${rate} | ${at(0.5)} | ${at(0.95)} | ${at(0.99)} |`;
  });
  const text = [
    '| What | At once | Number | Per second | p50 ms | p95 ms | p99 ms |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
    `${SECONDS} seconds on ${new Date().toISOString().slice(0, 10)}, ${errors.length} errors.`,
  ].join('\n');
  writeInto('load', text);
  console.log(text);
  for (const error of new Set(errors)) console.log(`  ${error}`);
  if (errors.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
