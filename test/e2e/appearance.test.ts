import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { McpOidcAuth, UpstreamIdp } from 'mcp-oidc-auth';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningStack, startStack } from '../../local/start';

const LOGO = '<svg xmlns="http://www.w3.org/2000/svg"/>';

let directory: string;
let stack: RunningStack;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'appearance-'));
  const logo = join(directory, 'logo.svg');
  writeFileSync(logo, LOGO);
  const app = new App({ outdir: join(directory, 'cdk.out') });
  const own = new Stack(app, 'Own');
  new McpOidcAuth(own, 'Auth', {
    upstream: UpstreamIdp.oidc({
      issuer: 'https://login.example.com',
      clientId: 'mcp',
      clientSecret: Secret.fromSecretNameV2(own, 'UpstreamSecret', 'upstream'),
      allow: [{ claim: 'email', values: ['@example.com'] }],
    }),
    appearance: {
      name: 'Example Corp',
      logo,
      colors: { accent: '#7a1fa2' },
      supportUrl: 'https://help.example.com/mcp',
      words: { 'de-AT': { rootTitle: 'Servus!' } },
    },
  });
  app.synth();
  stack = await startStack({
    assembly: join(directory, 'cdk.out'),
    secrets: { upstream: 'secret' },
    dynamoDbEndpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB,
    stateDirectory: directory,
  });
});
afterAll(async () => {
  await stack?.close();
  rmSync(directory, { recursive: true, force: true });
});

it('the props reach the pages of the function that runs', async () => {
  const response = await fetch(`${stack.issuerOrigin}/`, { headers: { 'accept-language': 'de-AT' } });
  const text = await response.text();
  expect(response.status).toBe(200);
  const logo = `data:image/svg+xml;base64,${Buffer.from(LOGO).toString('base64')}`;
  for (const expected of [
    '<html lang="de-AT" dir="ltr">',
    '<title>Servus! – Example Corp</title>',
    `<link rel="icon" href="${logo}">`,
    `<img src="${logo}" alt="Example Corp">`,
    '--accent:#7a1fa2',
    '<a href="https://help.example.com/mcp" rel="noreferrer">Hilfe erhalten</a>',
  ]) {
    expect(text).toContain(expected);
  }
});
