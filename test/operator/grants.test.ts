import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Grant, type IGrantable, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { McpOidcAuth } from 'mcp-oidc-auth';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DynamoStore } from '../../lambda/store/dynamo-store';
import { Harness } from '../lambda/provider/harness';
import { newAuth, newStack, ofType } from '../lib/synth';
import { type } from './operator';

const SERVICE = new ServicePrincipal('ec2.amazonaws.com');

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start({ instances: 1 });
});
beforeEach(async () => {
  client = await harness.register();
  harness.upstream.claims = { sub: 'ada' };
  await harness.redeem(client, await harness.signIn(client));
});
afterAll(() => harness[Symbol.asyncDispose]());

/** The environment of somebody with a role to which a grant was given, as the template has it. */
function operatorWith(give: (auth: McpOidcAuth, grantee: IGrantable) => Grant): Record<string, string> {
  const stack = newStack();
  const role = new Role(stack, 'Operator', { assumedBy: SERVICE });
  give(newAuth(stack), role).assertSuccess();
  const policies = ofType(stack, 'AWS::IAM::Policy').filter(([id]) => id.startsWith('Operator'));
  expect(policies).toHaveLength(1);
  const document = JSON.stringify(policies[0]?.[1].Properties.PolicyDocument);
  const table = `"arn:aws:dynamodb:us-east-1:123456789012:table/${harness.config.tableName}"`;
  return harness.environmentOf([JSON.parse(document.replace(/\{"Fn::GetAtt":\["AuthTable\w+","Arn"\]\}/g, table))]);
}

const person = () => ['--issuer', harness.upstream.issuer, '--subject', 'ada'];

const COMMANDS = {
  'people grants': () => ['people', ['grants', ...person()]],
  'people revoke': () => ['people', ['revoke', ...person()]],
  'clients add': () => ['clients', ['add', '--name', 'Agent', '--redirect-uri', 'https://agent.example.com/callback']],
  'clients show': () => ['clients', ['show', '--', client.client_id]],
  'clients remove': () => ['clients', ['remove', '--', client.client_id]],
} as Record<string, () => ['people' | 'clients', string[]]>;

describe.each<[string, (auth: McpOidcAuth, grantee: IGrantable) => Grant, string[]]>([
  ['grantReadPeople', (auth, grantee) => auth.grantReadPeople(grantee), ['people grants']],
  ['grantRevokePeople', (auth, grantee) => auth.grantRevokePeople(grantee), ['people grants', 'people revoke']],
  [
    'grantManageClients',
    (auth, grantee) => auth.grantManageClients(grantee),
    ['clients add', 'clients show', 'clients remove'],
  ],
])('%s', (_, give, allowed) => {
  it.each(Object.entries(COMMANDS))(
    'lets operators run what it is for, and nothing else: %s',
    async (name, command) => {
      const [group, [action = '', ...args]] = command();
      const { code, stderr } = await type(operatorWith(give), group, action, '--table', 'auth', ...args);
      if (allowed.includes(name)) expect([code, stderr]).toEqual([0, expect.anything()]);
      else expect([code, stderr]).toEqual([1, expect.stringContaining('AccessDeniedException')]);
    },
  );
});

describe('of the records with codes and tokens', () => {
  function tableOf(environment: Record<string, string>): DynamoStore {
    const client = new DynamoDBClient({
      region: 'us-east-1',
      endpoint: environment.AWS_ENDPOINT_URL_DYNAMODB,
      credentials: {
        accessKeyId: environment.AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? '',
        sessionToken: environment.AWS_SESSION_TOKEN,
      },
    });
    return new DynamoStore({ client, tableName: harness.config.tableName });
  }

  it.each<[string, (auth: McpOidcAuth, grantee: IGrantable) => Grant, (store: DynamoStore) => Promise<unknown>]>([
    ['grantReadPeople lists none', (auth, to) => auth.grantReadPeople(to), (store) => store.list('grant#x')],
    ['grantRevokePeople lists none', (auth, to) => auth.grantRevokePeople(to), (store) => store.list('grant#x')],
    ['grantManageClients reads none', (auth, to) => auth.grantManageClients(to), (store) => store.read(['grant#x/y'])],
    [
      'grantManageClients writes none',
      (auth, to) => auth.grantManageClients(to),
      (store) => store.set('grant#x/y', {}),
    ],
    [
      'grantManageClients removes none',
      (auth, to) => auth.grantManageClients(to),
      (store) => store.delete('grant#x/y'),
    ],
  ])('%s', async (_, give, act) => {
    await expect(act(tableOf(operatorWith(give)))).rejects.toThrow('not authorized');
  });
});
