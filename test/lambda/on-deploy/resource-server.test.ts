import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it, vi } from 'vitest';
import { clientKey, hash } from '../../../lambda/provider/keys';
import { RESOURCE_SERVER_RESOURCE_TYPE, type ResourceServerRecord, TABLE } from '../../../lib/contract';
import { configure, dynamoClient, request, secrets } from './deployment';

const server: ResourceServerRecord = {
  clientId: 'resource-server-1',
  name: 'Stack/Server',
  resources: ['https://mcp.example.com/mcp'],
};
const credential = { client_id: server.clientId, client_secret: 'the generated secret' };

const secretWith = (value: unknown) =>
  secrets.createSecret({ name: `credential-${Math.random()}`, value: JSON.stringify(value) }).arn;

const event = (ResourceServer: unknown, Secret: string, more: object = {}) => ({
  RequestType: 'Create',
  ResourceType: RESOURCE_SERVER_RESOURCE_TYPE,
  ResourceProperties: { ServiceToken: 'x', ResourceServer: JSON.stringify(ResourceServer), Secret },
  ...more,
});

const stored = async () => {
  const Key = { pk: { S: clientKey(server.clientId) }, sk: { S: 'value' } };
  return (await dynamoClient.send(new GetItemCommand({ TableName: 'table', Key, ConsistentRead: true }))).Item;
};

describe('a resource server', () => {
  it('is registered without an end, for token exchange alone, with the hash of its secret', async () => {
    configure({});
    const answer = await request(event(server, secretWith(credential)));
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: server.clientId });
    const item = await stored();
    expect(JSON.parse(item!.value!.S!)).toEqual({
      client_id: server.clientId,
      client_name: 'Stack/Server',
      redirect_uris: [],
      response_types: [],
      grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'],
      token_endpoint_auth_method: 'client_secret_basic',
      resource_server_of: server.resources,
      client_secret: hash(credential.client_secret),
    });
    expect(item).not.toHaveProperty(TABLE.timeToLive);
    expect(JSON.stringify(answer)).not.toContain(credential.client_secret);
  });

  it('has the newer secret after an update, and is gone after its deletion', async () => {
    configure({});
    await request(event(server, secretWith(credential)));
    const update = { RequestType: 'Update', PhysicalResourceId: server.clientId };
    await request(event(server, secretWith({ ...credential, client_secret: 'another' }), update));
    expect(JSON.parse((await stored())!.value!.S!).client_secret).toBe(hash('another'));
    await request(event(server, 'gone', { RequestType: 'Delete', PhysicalResourceId: server.clientId }));
    expect(await stored()).toBeUndefined();
  });

  it('waits until the permission to read the secret is known everywhere', async () => {
    configure({});
    const { send } = SecretsManagerClient.prototype;
    const denied = Object.assign(new Error('not yet'), { name: 'AccessDeniedException' });
    const reads = vi.spyOn(SecretsManagerClient.prototype, 'send').mockRejectedValueOnce(denied as never);
    reads.mockImplementation(send as never);
    const answer = await request(event(server, secretWith(credential)));
    expect(answer.Status).toBe('SUCCESS');
    expect(reads.mock.calls.filter(([command]) => command instanceof GetSecretValueCommand)).toHaveLength(2);
  });

  it('without the permission fails the deployment in time', async () => {
    const hurry = { getRemainingTimeInMillis: () => 11_000, logStreamName: 'stream-1' };
    const answer = await request(event(server, secretWith(credential)), hurry);
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('AWS did not answer in time') });
    expect(await stored()).toBeUndefined();
  });

  it.each<[string, unknown, unknown]>([
    ['no resources', { ...server, resources: [] }, credential],
    ['no name', { ...server, name: undefined }, credential],
    ['the credential of another', server, { ...credential, client_id: 'other' }],
    ['no secret in its credential', server, { client_id: server.clientId }],
  ])('with %s is refused, without showing what is secret', async (_, record, value) => {
    configure({});
    const answer = await request(event(record, secretWith(value)));
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/has to be/) });
    expect(JSON.stringify(answer)).not.toContain(credential.client_secret);
    expect(await stored()).toBeUndefined();
  });
});
