import { errors } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapterFactory } from '../../../lambda/provider/adapter';
import { GuardedFetch } from '../../../lambda/provider/client-metadata/guarded-fetch';
import { MetadataDocuments } from '../../../lambda/provider/client-metadata/metadata-documents';
import { ClientPolicy } from '../../../lambda/provider/client-policy';
import { successorsFrom } from '../../../lambda/provider/successors';
import { Harness } from './harness';

let harness: Harness;
let documents: MetadataDocuments;
let adapter: ReturnType<typeof adapterFactory>;
beforeAll(async () => {
  harness = await Harness.start();
  const { store, config, keySet } = harness;
  const guardedFetch = new GuardedFetch(new Set());
  documents = new MetadataDocuments({
    store,
    policy: new ClientPolicy(),
    guardedFetch,
    hosts: { internalHosts: [], deniedHosts: [] },
    lifetime: config.lifetimes.client,
  });
  adapter = adapterFactory({
    store,
    documents,
    lifetimes: config.lifetimes,
    successors: successorsFrom(keySet.successorKeys),
  });
});
afterAll(() => harness[Symbol.asyncDispose]());

describe('the adapter', () => {
  it('knows no model that nobody has decided where to keep', () => {
    expect(() => adapter('DeviceCode')).toThrow('No adapter for the model DeviceCode');
  });

  it.each(['Session', 'AccessToken', 'ClientCredentials'])('stores nothing of %s', async (model) => {
    const before = await harness.items();
    await adapter(model).upsert('id', { jti: 'id' }, 60);
    expect(await adapter(model).find('id')).toBeUndefined();
    expect(await harness.items()).toEqual(before);
  });

  it('ends an interaction once, and finds it no more', async () => {
    await adapter('Interaction').upsert('uid', { jti: 'uid', returnTo: 'https://auth.example.com' }, 60);
    expect(await adapter('Interaction').find('uid')).toMatchObject({ jti: 'uid' });
    await adapter('Interaction').destroy('uid');
    expect(await adapter('Interaction').find('uid')).toBeUndefined();
    await expect(adapter('Interaction').destroy('uid')).rejects.toThrow(errors.SessionNotFound);
  });

  it.each(['AuthorizationCode', 'RefreshToken'])(
    'lets %s be consumed once, where no unit of work collects',
    async (model) => {
      const strict = adapterFactory({
        store: harness.store,
        documents,
        lifetimes: { ...harness.config.lifetimes, refreshGrace: 0 },
        successors: successorsFrom(harness.keySet.successorKeys),
      });
      const id = `${model}.consumed`;
      await strict(model).upsert(id, { jti: id, grantId: model }, 60);
      const consumed = await Promise.allSettled([1, 2, 3].map(() => strict(model).consume(id)));
      expect(consumed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await expect(strict(model).consume(`${model}.absent`)).rejects.toThrow(errors.InvalidGrant);
    },
  );

  it('forgets what is destroyed', async () => {
    await adapter('Grant').upsert('grant', { jti: 'grant', accountId: 'ada' }, 60);
    expect(await adapter('Grant').find('grant')).toEqual({ jti: 'grant', accountId: 'ada' });
    await adapter('Grant').destroy('grant');
    expect(await adapter('Grant').find('grant')).toBeUndefined();
  });
});
