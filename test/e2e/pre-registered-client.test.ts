import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalStack, Person, startLocalStack } from './local-stack';
import { OUR_EDITOR, tokensFor } from './our-editor';

let local: LocalStack;
beforeAll(async () => {
  local = await startLocalStack({}, { clients: [OUR_EDITOR] });
});
afterAll(() => local?.[Symbol.asyncDispose]());

it('a client that the app declares is there once it is deployed, and gets tokens without registering', async () => {
  const person = new Person(local, local.identityProvider.users[0]!);
  const tokens = await tokensFor(local, person);
  expect(person.consentPage).toContain('This app was registered by the people who run this server.');
  expect(tokens).toMatchObject({ access_token: expect.any(String), refresh_token: expect.any(String) });
});
