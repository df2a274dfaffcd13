import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { clientKey } from '../../../lambda/provider/keys';
import { CLIENT_RESOURCE_TYPE, type ClientRecord, TABLE } from '../../../lib/contract';
import { configure, dynamoClient, request, STACK } from './deployment';

describe('a client', () => {
  const editor: ClientRecord = {
    clientId: 'editor',
    name: 'Our editor',
    redirectUris: ['https://editor.example.com/callback', 'http://127.0.0.1/callback'],
  };
  const event = (client: unknown, more: object = {}) => ({
    RequestType: 'Create',
    ResourceType: CLIENT_RESOURCE_TYPE,
    ResourceProperties: { ServiceToken: 'x', Client: typeof client === 'string' ? client : JSON.stringify(client) },
    ...more,
  });
  const remove = (more: object = {}) =>
    request(event(editor, { RequestType: 'Delete', PhysicalResourceId: editor.clientId, ...more }));
  const stored = async (clientId = editor.clientId) => {
    const Key = { pk: { S: clientKey(clientId) }, sk: { S: 'value' } };
    return (await dynamoClient.send(new GetItemCommand({ TableName: 'table', Key, ConsistentRead: true }))).Item;
  };

  it('is registered without an end, as a public client', async () => {
    expect(await request(event(editor))).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'editor' });
    const item = await stored();
    expect(JSON.parse(item!.value!.S!)).toEqual({
      client_id: 'editor',
      client_name: 'Our editor',
      redirect_uris: editor.redirectUris,
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
    expect(item!.v).toEqual({ N: '1' });
    expect(item!.registeredBy).toEqual({ S: `${STACK}/Notes` });
    expect(item).not.toHaveProperty(TABLE.timeToLive);
  });

  it('is updated under the same physical id', async () => {
    await request(event(editor));
    const update = { RequestType: 'Update', PhysicalResourceId: 'editor' };
    expect(await request(event({ ...editor, name: 'Another name' }, update))).toMatchObject({
      PhysicalResourceId: 'editor',
    });
    expect(JSON.parse((await stored())!.value!.S!).client_name).toBe('Another name');
  });

  it('with another id is another one, so that CloudFormation deletes the former', async () => {
    await request(event(editor));
    const update = { RequestType: 'Update', PhysicalResourceId: 'editor' };
    expect(await request(event({ ...editor, clientId: 'other' }, update))).toMatchObject({
      PhysicalResourceId: 'other',
    });
    await remove();
    expect(await stored()).toBeUndefined();
    expect(await stored('other')).toBeDefined();
  });

  it('is taken away once, and asking again is no error', async () => {
    await request(event(editor));
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
    expect(await stored()).toBeUndefined();
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
  });

  it('stays when its former owner is deleted', async () => {
    const former = { StackId: `${STACK}-former` };
    await request(event(editor, former));
    await request(event(editor));
    expect(await remove(former)).toMatchObject({ Status: 'SUCCESS' });
    expect(await stored()).toBeDefined();
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'Client has to be the JSON of a client'],
    ['no id', { ...editor, clientId: undefined }, 'Client has to be the JSON of a client'],
    ['redirect URIs that are no texts', { ...editor, redirectUris: [7] }, 'Client has to be the JSON of a client'],
    ['no redirect URI', { ...editor, redirectUris: [] }, 'redirect_uris must be a non-empty array'],
    ['a blank name', { ...editor, name: ' ' }, 'a client needs a name for people'],
    [
      'a redirect URI that nobody may have',
      { ...editor, redirectUris: [...editor.redirectUris, 'http://editor.example.com/'] },
      'http://editor.example.com/ cannot be a redirect URI: http is for loopback addresses only',
    ],
    [
      'a private-use scheme that is not allowed',
      { ...editor, redirectUris: ['my-app:/callback'] },
      'my-app:/callback cannot be a redirect URI: the scheme my-app is not one that is allowed here',
    ],
    [
      'https on loopback beside a program on the device',
      { ...editor, redirectUris: ['https://localhost/callback', 'http://localhost/callback'] },
      'https://localhost/callback cannot be a redirect URI here: https on a loopback address cannot stand beside',
    ],
  ])('is refused with %s', async (_, client, reason) => {
    expect(await request(event(client))).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining(reason),
    });
    expect(await stored()).toBeUndefined();
  });

  it('may have a private-use scheme that every client may have', async () => {
    configure({
      privateUseSchemes: ['my-app'],
    });
    const own = { ...editor, redirectUris: ['my-app:/callback'] };
    expect(await request(event(own))).toMatchObject({ Status: 'SUCCESS' });
  });
});
