import type { PreRegisteredClientProps } from 'mcp-oidc-auth';
import { describe, expect, test } from 'vitest';
import { configOf, idOf, newAuth, newStack, ofType, text } from './synth';

const EDITOR: PreRegisteredClientProps = {
  clientId: 'editor',
  name: 'Our editor',
  redirectUris: ['https://editor.example.com/callback'],
};

const TYPE = 'Custom::McpOidcAuthClient';

describe('clients', () => {
  test('are registered by a custom resource with their record as JSON', () => {
    const stack = newStack();
    newAuth(stack, { clients: [EDITOR] });
    const { ServiceToken, Client } = ofType(stack, TYPE)[0]![1].Properties;
    expect(text(ServiceToken)).toBe(`<${idOf(stack, 'AWS::Lambda::Function', 'AuthOnDeploy')}.Arn>`);
    expect(JSON.parse(Client)).toEqual(EDITOR);
  });

  test('are none by default', () => {
    const stack = newStack();
    newAuth(stack);
    expect(ofType(stack, TYPE)).toEqual([]);
  });

  test('keep their logical ids when their order changes', () => {
    const ids = (clientIds: string[]) => {
      const stack = newStack();
      newAuth(stack, { clients: clientIds.map((clientId) => ({ ...EDITOR, clientId })) });
      return Object.fromEntries(
        ofType(stack, TYPE).map(([id, { Properties }]) => [JSON.parse(Properties.Client).clientId, id]),
      );
    };
    expect(ids(['b', 'a'])).toEqual(ids(['a', 'b']));
  });

  test('may have the private-use schemes that every client may have', () => {
    const [own, plain] = [newStack(), newStack()];
    newAuth(own, { registration: { privateUseSchemes: ['my-app'] } });
    newAuth(plain);
    expect(configOf(own, 'AuthOnDeploy').privateUseSchemes).toEqual(['my-app']);
    expect(configOf(plain, 'AuthOnDeploy')).not.toHaveProperty('privateUseSchemes');
  });

  test.each<[Partial<PreRegisteredClientProps>, string]>([
    [
      { clientId: 'https://editor.example.com/client.json' },
      "must be 1 to 100 letters, digits and . _ ~ -, got 'https:",
    ],
    [{ clientId: '' }, "a client's clientId must be 1 to 100 letters, digits and . _ ~ -, got nothing."],
    [{ clientId: 'x'.repeat(101) }, "a client's clientId must be 1 to 100 letters"],
    [{ clientId: undefined }, "a client's clientId must be 1 to 100 letters, digits and . _ ~ -, got nothing."],
    [{ name: ' ' }, "client 'editor' must have a name: what people read on the consent page."],
    [{ redirectUris: [] }, "redirectUris of client 'editor' must list at least one redirect URI."],
    [{ redirectUris: ['/callback'] }, "redirectUris of client 'editor' must be absolute URIs, got '/callback'."],
  ])('are refused: %j', (props, message) => {
    const client = { ...EDITOR, ...props } as PreRegisteredClientProps;
    expect(() => newAuth(newStack(), { clients: [client] })).toThrow(message);
  });

  test('are refused where they are no list', () => {
    expect(() => newAuth(newStack(), { clients: EDITOR as never })).toThrow('clients must be a list, got an object.');
  });

  test('are refused with one id twice', () => {
    expect(() => newAuth(newStack(), { clients: [EDITOR, { ...EDITOR, name: 'Other' }] })).toThrow(
      "McpOidcAuth: clients must have different client ids, got 'editor' twice.",
    );
  });
});
