import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { McpOidcAuth, UpstreamIdp } from 'mcp-oidc-auth';
import { describe, expect, it, test } from 'vitest';
import { AUTHORIZER_METRICS, type CountedEvents, SERVER_METRICS } from '../lib/counted-events';

const root = join(__dirname, '..');
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

/** As GitHub makes them of headings. */
function anchorsOf(page: string): Set<string> {
  const headings = page.matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test.each(pages)('%s links to files and headings that exist', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? join(root, page) : join(root, dirname(page), path);
    expect(existsSync(file), target).toBe(true);
    if (anchor) expect(anchorsOf(readFileSync(file, 'utf8')), target).toContain(anchor);
  }
});

test('docs/operations.md names every event of the log, and no other', () => {
  const sources = ['lambda', 'hosts'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.m?ts$/.test(name))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  );
  const logged = sources.flatMap((source) => [
    ...source.matchAll(/(?:log(?:Event|Problem)\(\s*|\bevent: |outcome: )'(\w+[._]\w+)'/g),
  ]);
  const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  const rows = text
    .split('| Event |')[1]!
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect(named.length).toBeGreaterThan(30);
  expect([...named].sort()).toEqual([...new Set(logged.map(([, name]) => name))].sort());
});

test('docs/operations.md says of each metric which events of the log it counts', () => {
  const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z]\w+)` \| ([^|]+) \|/gm)];
  const documented = rows.map(([, name = '', events = '']) => [
    name,
    [...events.matchAll(/`([^`]+)`/g)].map(([, event]) => event),
  ]);
  const metrics: CountedEvents = { ...SERVER_METRICS, ...AUTHORIZER_METRICS };
  expect(Object.fromEntries(documented)).toEqual(
    Object.fromEntries(
      Object.entries(metrics).map(([name, counted]) => [name, [...new Set(counted.map(({ event }) => event))]]),
    ),
  );
  const log = text.split('| Event |')[1]!.split('\n## ')[0];
  for (const { event } of Object.values(metrics).flat()) expect(log).toContain(`\`${event}\``);
});

test('docs/operations.md finds what it names in the stack of the example', () => {
  const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  const section = text.split('\n## Find the names\n')[1]?.split('\n## ')[0] ?? '';
  const listed = [...section.matchAll(/'(AWS::\w+::\w+)'/g)].map(([, type]) => type);
  const kept = JSON.parse(readFileSync(join(root, 'test/template/kept-resources.json'), 'utf8'));
  const inStack = Object.entries<{ Type: string }>(kept.example).filter(([, { Type }]) => listed.includes(Type));
  // The API of the example has another name.
  const ids = inStack.map(([id]) => id.replace(/^NotesApi/, 'Api').slice(0, -8));
  const named = [...section.matchAll(/\| `(\w+)` \|$/gm)].map(([, id]) => id);
  expect(named).toHaveLength(7);
  expect(ids).toEqual(expect.arrayContaining(named));
});

describe('docs/identity-providers.md', () => {
  const text = readFileSync(join(root, 'docs/identity-providers.md'), 'utf8');
  const sections = text
    .split(/^## /m)
    .map((section) => ({
      name: section.split('\n')[0],
      code: /```ts\n(UpstreamIdp\.oidc\(.*?\);)\n```/s.exec(section)?.[1],
    }))
    .filter(({ code }) => code !== undefined);

  it('has parameters for each provider', () => {
    expect(sections.map(({ name }) => name)).toEqual([
      'Auth0',
      'Okta',
      'Microsoft Entra ID',
      'Google',
      'Amazon Cognito',
      'Keycloak',
      'Clerk',
    ]);
  });

  test.each(sections)('shows parameters for $name that synthesize', ({ code }) => {
    const stack = new Stack(new App(), 'Stack');
    const clientSecret = Secret.fromSecretNameV2(stack, 'UpstreamSecret', 'mcp/upstream');
    const upstream = new Function('UpstreamIdp', 'clientSecret', `return ${code}`)(UpstreamIdp, clientSecret);
    expect(upstream.everyoneMaySignIn).toBe(false);
    new McpOidcAuth(stack, 'Auth', { upstream });
    expect(() => Template.fromStack(stack)).not.toThrow();
  });
});

describe('docs/api.md', () => {
  const sections = new Map(
    readFileSync(join(root, 'docs/api.md'), 'utf8')
      .split(/^##+ /m)
      .map((section) => [/^[\w.]+/.exec(section)?.[0], section] as const),
  );

  /** Of the interfaces that people write objects of, those that share a section or have no heading of their name. */
  const interfaces: Record<string, string[]> = {
    'auth.protectRestApi': ['ProtectRestApiProps', 'ProtectionProps'],
    UpstreamIdp: ['OidcUpstreamProps'],
  };
  // The rows of protectRestApi serve protectHttpApi too; the row of customDomain names the members.
  const elsewhere = ['ProtectHttpApiProps', 'CustomDomainProps', ...Object.values(interfaces).flat()];
  const exported =
    readFileSync(join(root, 'lib/index.ts'), 'utf8').match(/\b\w+(Props|Options|Scope|Thresholds)\b/g) ?? [];
  for (const name of exported) if (!elsewhere.includes(name)) interfaces[name] = [name];

  const library = readdirSync(join(root, 'lib'))
    .map((name) => readFileSync(join(root, 'lib', name), 'utf8'))
    .join('\n');

  const membersOf = (name: string) => {
    const [, body = ''] = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(library) ?? [];
    return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member]) => member);
  };

  test.each(Object.entries(interfaces))('%s has a row for each member, and no other', (heading, names) => {
    const rows = sections.get(heading)?.matchAll(/^\| `(\w+)` \|/gm) ?? [];
    const members = names.flatMap(membersOf);
    expect(members).not.toEqual([]);
    expect([...rows].map(([, member]) => member).sort()).toEqual(members.sort());
  });

  test('docs/operations.md explains an alarm for each threshold, and no other', () => {
    const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    const section = text.split('\n## Alarms\n')[1]?.split('\n## ')[0] ?? '';
    const headings = [...section.matchAll(/^### (\w+)$/gm)].map(
      ([, name = '']) => name[0]?.toLowerCase() + name.slice(1),
    );
    expect(headings).toEqual(membersOf('AlarmThresholds'));
  });
});

test('docs/resource-servers.md shows the examples that are run, and all of them', () => {
  const text = readFileSync(join(root, 'docs/resource-servers.md'), 'utf8');
  const shown = [...text.matchAll(/<!-- (\S+) -->\n```\w+\n(.*?)```/gs)];
  const examples = readdirSync(join(root, 'examples/resource-servers')).map(
    (name) => `examples/resource-servers/${name}`,
  );
  expect(shown.map(([, file]) => file).sort()).toEqual(examples.sort());
  for (const [, file = '', code] of shown) expect(code).toBe(readFileSync(join(root, file), 'utf8'));
});
