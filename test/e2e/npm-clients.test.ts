import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { freePort } from '../support/free-port';
import { type LocalStack, Person, startLocalStack } from './local-stack';

const MODULES = join(__dirname, '..', '..', 'node_modules');
const MCP_REMOTE = join(MODULES, 'mcp-remote', 'dist', 'proxy.js');
const INSPECTOR = join(MODULES, '@modelcontextprotocol', 'inspector', 'clients', 'launcher', 'build', 'index.js');

let local: LocalStack;
let home: string;
beforeAll(async () => {
  local = await startLocalStack();
  home = mkdtempSync(join(tmpdir(), 'npm-clients-'));
});
afterAll(async () => {
  await local?.[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

/** A machine without a browser of its own: what would open one does nothing. */
const environment = () => ({ PATH: process.env.PATH ?? '', HOME: home, BROWSER: 'true', DISPLAY: '' });

/** Someone who follows every authorization request that the client prints, and brings the answer back to it. */
class Reader {
  readonly person = new Person(local, local.identityProvider.users[0]!);
  readonly followed: URL[] = [];
  readonly answered: Promise<void>[] = [];

  constructor(output: Readable) {
    let text = '';
    output.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const links = [...text.matchAll(/http:\/\/\S+\/authorize\?\S+(?=\s)/g)].map(([link]) => link);
      for (const link of links.slice(this.followed.length)) {
        const url = new URL(link);
        this.followed.push(url);
        this.answered.push(this.#follow(url));
      }
    });
  }

  async #follow(url: URL): Promise<void> {
    const redirectUri = url.searchParams.get('redirect_uri') ?? '';
    const answer = await this.person.authorize(url, redirectUri);
    // A client may print the link a moment before it listens; a person is never that fast.
    const response = await vi.waitFor(() => fetch(`${redirectUri}?${answer}`), { timeout: 20_000 });
    await response.arrayBuffer();
  }
}

it('mcp-remote signs in, calls a tool, and steps up for another', async () => {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MCP_REMOTE, local.mcpUrl, '--allow-http'],
    env: { ...environment(), MCP_REMOTE_CONFIG_DIR: join(home, 'mcp-remote') },
    stderr: 'pipe',
  });
  const reader = new Reader(transport.stderr as Readable);
  const client = new Client({ name: 'host', version: '1.0.0' });
  try {
    await client.connect(transport);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['whoami', 'list_notes', 'add_note']);
    const whoami = await client.callTool({ name: 'whoami', arguments: {} });
    expect(JSON.stringify(whoami.content)).toContain(local.identityProvider.users[0]!.username);
    expect(reader.followed).toHaveLength(1);
    expect(reader.person.consentPage).toContain('MCP CLI Proxy');

    expect(await client.callTool({ name: 'add_note', arguments: { text: 'From afar' } })).not.toMatchObject({
      isError: true,
    });
    expect(reader.followed).toHaveLength(2);
    expect(reader.person.consentPage).toContain('Add notes');
    await Promise.all(reader.answered);
  } finally {
    await client.close();
  }
});

it('MCP Inspector calls a tool from the command line, after signing in', async () => {
  const call = ['--method', 'tools/call', '--tool-name', 'whoami'];
  const env = {
    ...environment(),
    MCP_AUTO_OPEN_ENABLED: 'true',
    MCP_INSPECTOR_SECRET_STORE: 'file',
    MCP_OAUTH_CALLBACK_URL: `http://127.0.0.1:${await freePort()}/oauth/callback`,
  };
  let reader: Reader | undefined;
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [INSPECTOR, '--cli', '--transport', 'http', '--server-url', local.mcpUrl, ...call],
      { env },
      (error, stdout, stderr) => (error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout)),
    );
    reader = new Reader(child.stderr as Readable);
  });
  await Promise.all(reader!.answered);
  expect(reader!.followed).toHaveLength(1);
  expect(reader!.person.consentPage).toContain('MCP Inspector');
  expect(output).toContain(local.identityProvider.users[0]!.username);
});
