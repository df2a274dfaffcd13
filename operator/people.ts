import { parseArgs } from 'node:util';
import type { ConsentRecord } from '../lambda/provider/consent-record';
import { displayable } from '../lambda/provider/displayable';
import { listedGrantKey, listedUpstreamTokenKey, personPartition } from '../lambda/provider/keys';
import { subjectOf } from '../lambda/provider/subject';
import type { StoredRecord } from '../lambda/store/store';
import { GRANT_PREFIX } from '../lib/contract';
import { OperatorError, UsageError } from './errors';
import { type OpenedStore, onStore, STORE_OPTIONS, STORE_USAGE } from './opened-store';
import type { Output } from './output';

export const PEOPLE_USAGE = `Usage: mcp-oidc-auth people grants (--table NAME | --store URL) (--sub SUB | --issuer URL --subject SUBJECT)
       mcp-oidc-auth people revoke (--table NAME | --store URL) (--sub SUB | --issuer URL --subject SUBJECT)

grants lists what one person has granted, revoke ends all of it, and fails where there is nothing.

${STORE_USAGE}
  --sub           the person as access tokens and the log name them
  --issuer        the identity provider, spelled as \`iss\` of its ID tokens
  --subject       the person there: \`sub\` of the ID token

Region and credentials for a table are those that the AWS CLI uses (AWS_REGION, AWS_PROFILE ...).`;

/** Lists, or ends, everything that one person has granted. */
export async function people(args: string[], output: Output): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...STORE_OPTIONS,
      sub: { type: 'string' },
      issuer: { type: 'string' },
      subject: { type: 'string' },
    },
  });
  const [action, ...rest] = positionals;
  if ((action !== 'grants' && action !== 'revoke') || rest.length > 0) {
    throw new UsageError(`people needs grants or revoke, got ${positionals.join(' ') || 'nothing'}.`);
  }
  const sub = personOf(values);
  await onStore(values, (opened) => (action === 'grants' ? list : revoke)(opened, sub, output));
}

function personOf({ sub, issuer, subject }: { sub?: string; issuer?: string; subject?: string }): string {
  if (sub !== undefined && issuer === undefined && subject === undefined) {
    if (/^[\w-]{43}$/.test(sub)) return sub;
    throw new UsageError(
      `--sub needs the 43 characters that access tokens and the log have as sub, got '${sub}'. The identity provider's own goes into --subject, with --issuer.`,
    );
  }
  if (sub === undefined && issuer && subject) return subjectOf(issuer, subject);
  throw new UsageError('A person is named by --sub, or by --issuer and --subject together.');
}

async function list(opened: OpenedStore, sub: string, output: Output): Promise<void> {
  const listed = await grantsOf(opened, sub);
  for (const record of listed) output.print(describe(record));
  output.note(listed.length === 0 ? nothing(opened, sub) : `${counted(listed)} of ${sub}.`);
}

async function revoke(opened: OpenedStore, sub: string, output: Output): Promise<void> {
  const ended: StoredRecord[] = [];
  // Until nothing is found: a sign-in that was under way may end while this runs.
  for (;;) {
    const listed = await grantsOf(opened, sub);
    if (listed.length === 0) break;
    const keys = listed.map(({ key }) => key);
    // The grants first: as long as one is there it is listed, so that whoever was interrupted can begin again.
    await opened.store.deleteMany(keys.flatMap((key) => [listedGrantKey(key), listedUpstreamTokenKey(key)]));
    await opened.store.deleteMany(keys);
    for (const record of listed) output.print(describe(record));
    ended.push(...listed);
  }
  // Whoever counts on it is not to take a name that is spelled wrong for somebody who has granted nothing.
  if (ended.length === 0) throw new OperatorError(nothing(opened, sub));
  output.note(
    `${counted(ended)} of ${sub} ended: codes and refresh tokens are refused from now on. Access tokens already issued live on until they expire (lifetimes.accessToken, 1 hour by default), except at MCP servers that share the store with the authorization server.`,
  );
}

function grantsOf({ store }: OpenedStore, sub: string): Promise<StoredRecord[]> {
  return store.list(personPartition(sub), { prefix: `/${GRANT_PREFIX}` });
}

function describe({ value }: StoredRecord): string {
  const { clientId, clientName, resource, scopes, consentedAt } = value as ConsentRecord;
  const since = new Date(consentedAt * 1000).toISOString();
  const name = displayable(clientName ?? '') || '(no name)';
  return `${since}  ${name}  ${clientId}  ${resource}  ${scopes.join(' ')}`;
}

function counted({ length }: readonly unknown[]): string {
  return length === 1 ? '1 grant' : `${length} grants`;
}

function nothing({ name }: OpenedStore, sub: string): string {
  return `Nothing is granted by ${sub} in ${name}. If that is a surprise, look at what was given: --issuer must be exactly the iss of the person's ID tokens, --subject their sub; --sub is the person as access tokens name them; --namespace that of the server's Keyv, where it has one.`;
}
