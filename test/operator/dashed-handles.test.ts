import { afterAll, beforeAll, expect, it } from 'vitest';
import { clientKey, personKey } from '../../lambda/provider/keys';
import { Harness } from '../lambda/provider/harness';
import { type } from './operator';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness[Symbol.asyncDispose]());

const HANDLES = [`-${'a'.repeat(42)}`, `--${'b'.repeat(41)}`, `-s${'c'.repeat(41)}`];
const inAnHour = () => Date.now() + 3_600_000;

it.each(HANDLES)('a person whose sub is %s is found', async (sub) => {
  const consent = {
    clientId: 'editor',
    clientName: 'Editor',
    resource: 'https://mcp.example.com',
    scopes: [],
    consentedAt: 1,
  };
  await harness.store.set(personKey(sub, 'grant'), consent, inAnHour());
  const { code, stderr } = await type(harness.environment, 'people', 'revoke', '--table', 'auth', '--sub', sub);
  expect([code, stderr]).toEqual([0, expect.stringContaining(`1 grant of ${sub}`)]);
});

it.each(HANDLES)('a client whose id is %s is found', async (id) => {
  await harness.store.set(clientKey(id), { client_id: id, client_name: 'Editor' }, inAnHour());
  const { code, stdout } = await type(harness.environment, 'clients', 'show', id, '--table', 'auth');
  expect([code, JSON.parse(stdout).metadata.client_id]).toEqual([0, id]);
});
