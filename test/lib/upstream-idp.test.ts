import { App, CfnParameter, Duration, Fn, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { OidcUpstreamProps } from 'mcp-oidc-auth';
import { describe, expect, test } from 'vitest';
import { configOf, idOf, newAuth, newStack, permissionsOf, upstream } from './synth';

const secretPermissions = (stack: ReturnType<typeof newStack>) =>
  permissionsOf(stack, 'AuthProviderRole').filter(
    (line) => /secretsmanager|kms/.test(line) && !line.includes(idOf(stack, 'AWS::SecretsManager::Secret', 'AuthKey')),
  );

describe('the client secret', () => {
  test('may be a secret of the same stack, encrypted with a key', () => {
    const stack = newStack();
    const clientSecret = new Secret(stack, 'Client', { encryptionKey: new Key(stack, 'Key') });
    newAuth(stack, { upstream: upstream(stack, { clientSecret }) });
    const secret = idOf(stack, 'AWS::SecretsManager::Secret', 'Client');
    expect(configOf(stack, 'AuthProvider').upstream.clientSecretId).toBe(`<${secret}>`);
    const key = idOf(stack, 'AWS::KMS::Key');
    expect(secretPermissions(stack)).toEqual([
      `Allow kms:Decrypt on <${key}.Arn> if {"StringEquals":{"kms:ViaService":{"Fn::Join":["",["secretsmanager.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"}]]}}}`,
      `Allow secretsmanager:GetSecretValue on <${secret}>`,
    ]);
  });

  test('may be of another stack, encrypted with a key of that stack', () => {
    const app = new App();
    const secrets = new Stack(app, 'Secrets');
    const clientSecret = new Secret(secrets, 'Client', { encryptionKey: new Key(secrets, 'Key') });
    const stack = new Stack(app, 'Stack');
    newAuth(stack, { upstream: upstream(stack, { clientSecret }) });
    expect(secretPermissions(stack)).toEqual([
      expect.stringMatching(/^Allow kms:Decrypt on <(import|output) .*Key/),
      expect.stringMatching(/^Allow secretsmanager:GetSecretValue on <(import|output) .*Client/),
    ]);
  });

  test('may be known by its complete ARN', () => {
    const stack = newStack();
    const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:client-AbCdEf';
    newAuth(stack, { upstream: upstream(stack, { clientSecret: Secret.fromSecretCompleteArn(stack, 'Client', arn) }) });
    expect(configOf(stack, 'AuthProvider').upstream.clientSecretId).toBe(arn);
    expect(secretPermissions(stack)).toEqual([`Allow secretsmanager:GetSecretValue on ${arn}`]);
  });
});

describe('a client secret that is not of this app', () => {
  const env = { account: '111122223333', region: 'eu-west-1' };
  const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:';
  // Secrets Manager takes what stands behind its last hyphen for the end of a complete ARN.
  const name = 'mcp/upstream-client-secret';

  test.each([{}, { env }])('is asked for by its name in %o, whatever the name ends in', (props) => {
    const stack = new Stack(new App(), 'Stack', props);
    newAuth(stack, { upstream: upstream(stack, { clientSecret: Secret.fromSecretNameV2(stack, 'Client', name) }) });
    expect(configOf(stack, 'AuthProvider').upstream.clientSecretId).toBe(name);
    expect(secretPermissions(stack)).toEqual([expect.stringMatching(/:secret:mcp\/upstream-client-secret-\?{6}$/)]);
  });

  test('is asked for by its name where its name is a parameter', () => {
    const stack = newStack();
    const parameter = new CfnParameter(stack, 'Name').valueAsString;
    newAuth(stack, {
      upstream: upstream(stack, { clientSecret: Secret.fromSecretNameV2(stack, 'Client', parameter) }),
    });
    expect(configOf(stack, 'AuthProvider').upstream.clientSecretId).toBe('<Name>');
  });

  test('is asked for by its name where its partial ARN leaves no doubt', () => {
    const stack = new Stack(new App(), 'Stack', { env });
    const clientSecret = Secret.fromSecretPartialArn(stack, 'Client', `${arn}upstream`);
    newAuth(stack, { upstream: upstream(stack, { clientSecret }) });
    expect(configOf(stack, 'AuthProvider').upstream.clientSecretId).toBe('upstream');
  });

  test.each([
    ['a partial ARN that looks complete', env, `${arn}${name}`],
    ['a partial ARN of another region', { ...env, region: 'us-east-1' }, `${arn}upstream`],
    ['a partial ARN of another account', { ...env, account: '999999999999' }, `${arn}upstream`],
  ])('cannot be %s', (_, stackEnv, partialArn) => {
    const stack = new Stack(new App(), 'Stack', { env: stackEnv });
    const clientSecret = Secret.fromSecretPartialArn(stack, 'Client', partialArn);
    expect(() => newAuth(stack, { upstream: upstream(stack, { clientSecret }) })).toThrow(
      `McpOidcAuth: upstream.clientSecret must be known by its complete ARN, or by its name in the account and region of McpOidcAuth's stack, got the partial ARN '${partialArn}'.`,
    );
  });

  test('cannot be a name in the account and region of another stack', () => {
    const app = new App();
    const clientSecret = Secret.fromSecretNameV2(new Stack(app, 'Other', { env }), 'Client', name);
    const stack = new Stack(app, 'Stack', { env: { ...env, region: 'us-east-1' } });
    expect(() => newAuth(stack, { upstream: upstream(stack, { clientSecret }) })).toThrow(/by its complete ARN.* got /);
  });
});

describe('the configuration', () => {
  test('carries what was given, openid always among the scopes', () => {
    const stack = newStack();
    newAuth(stack, {
      upstream: upstream(stack, {
        scopes: ['email', 'groups'],
        extraParameters: { hd: 'example.com' },
        allow: [{ claim: 'email', values: ['@example.com'] }],
        claims: ['email', 'groups'],
      }),
    });
    expect(configOf(stack, 'AuthProvider').upstream).toMatchObject({
      scopes: ['openid', 'email', 'groups'],
      extraParameters: { hd: 'example.com' },
      allow: [{ claim: 'email', values: ['@example.com'] }],
      claims: ['email', 'groups'],
    });
  });

  test('takes CloudFormation parameters, which nobody can look into at synth', () => {
    const stack = newStack();
    const parameter = (id: string) => new CfnParameter(stack, id).valueAsString;
    newAuth(stack, {
      upstream: upstream(stack, { issuer: parameter('Issuer'), clientId: parameter('ClientId') }),
    });
    expect(configOf(stack, 'AuthProvider').upstream).toMatchObject({ issuer: '<Issuer>', clientId: '<ClientId>' });
  });

  test('keeps an issuer as it is spelled', () => {
    const stack = newStack();
    newAuth(stack, { upstream: upstream(stack, { issuer: 'https://tenant.example.com/' }) });
    expect(configOf(stack, 'AuthProvider').upstream.issuer).toBe('https://tenant.example.com/');
  });
});

describe('wrong props', () => {
  const RULES = 'upstream.allow must be a list of rules such as [{"claim":"email","values":["@example.com"]}]';
  test.each<[Partial<OidcUpstreamProps>, string]>([
    [{ issuer: 'idp.example.com' }, "upstream.issuer must be an absolute URL, got 'idp.example.com'."],
    [
      { issuer: 'http://idp.example.com' },
      "upstream.issuer must begin with https:// (http:// only on localhost), got 'http://idp.example.com'.",
    ],
    [
      { issuer: 'https://u:p@idp.example.com' },
      "upstream.issuer must have no fragment and no credentials, got 'https://u:p@idp.example.com'.",
    ],
    [
      { issuer: 'https://idp.example.com?a=b' },
      "upstream.issuer must be an issuer, which has no query, got 'https://idp.example.com?a=b'.",
    ],
    [
      { issuer: 'https://idp.example.com/.well-known/openid-configuration' },
      'upstream.issuer must be the issuer, not the URL of its discovery document',
    ],
    [{ clientId: '' }, 'upstream.clientId must be the identifier of a client at the identity provider, got nothing.'],
    [
      { clientId: undefined },
      'upstream.clientId must be the identifier of a client at the identity provider, got nothing.',
    ],
    [{ issuer: undefined }, 'upstream.issuer must be an absolute URL, got nothing.'],
    [
      { clientSecret: undefined },
      'upstream.clientSecret must be an ISecret, for example Secret.fromSecretNameV2(...), got nothing.',
    ],
    [
      { clientSecret: 'the secret itself' as unknown as Secret },
      'upstream.clientSecret must be an ISecret, for example Secret.fromSecretNameV2(...), got a string.',
    ],
    [
      { scopes: ['email groups'] },
      "upstream.scopes must be scope tokens, each without spaces, quotes and backslashes, got 'email groups'.",
    ],
    [
      { scopes: Fn.split(',', Fn.importValue('scopes')) },
      'upstream.scopes must be a list that is known at synth, got a token.',
    ],
    [{ allow: [{ claim: 'email', values: [] }] }, `${RULES}, got no value of 'email'.`],
    [{ allow: [{ claim: 'email', values: [''] }] }, `${RULES}, got a value of 'email' that is empty, or no text.`],
    [{ allow: [{ claim: '', values: ['x'] }] }, `${RULES}, got nothing as the claim of a rule.`],
    [{ allow: [{ values: ['x'] } as never] }, `${RULES}, got nothing as the claim of a rule.`],
    [{ allow: { claim: 'email', values: ['x'] } as never }, `${RULES}, got an object.`],
    [
      { allow: [{ claim: 'email', values: '@example.com' as never }] },
      `${RULES}, got '@example.com' as the values of 'email'.`,
    ],
    [{ claims: 'email' as never }, "upstream.claims must be a list, got 'email'."],
    [{ recheck: Duration.seconds(30) }, 'upstream.recheck must be at least 1 minute, got 30 seconds.'],
    [
      { extraParameters: { redirect_uri: 'https://evil.example' } },
      "upstream.extraParameters must be parameters that the authorization server does not set itself, got 'redirect_uri'.",
    ],
    [
      { claims: ['sub'] },
      "upstream.claims must be names of claims that access tokens do not have of their own, got 'sub'.",
    ],
  ])('%o are refused', (props, message) => {
    expect(() => upstream(newStack(), props)).toThrow(`McpOidcAuth: ${message}`);
  });
});
