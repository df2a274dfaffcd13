import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalSecretsManager, startSecretsManager } from '../../../local/aws/secrets-manager';
import { addCaller, allow, clientConfig, newAccessControl } from './credentials';

const ARN_PREFIX = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:';
const accessControl = newAccessControl();
let service: LocalSecretsManager;
let client: SecretsManagerClient;

beforeAll(async () => {
  service = await startSecretsManager({
    accessControl,
    async invoke() {
      throw new Error('no secret here rotates');
    },
  });
  client = clientWith('owner', allow(['secretsmanager:*'], '*'));
});
afterAll(() => service.close());

function clientWith(functionName: string, ...policies: object[]) {
  return new SecretsManagerClient(clientConfig(addCaller(accessControl, functionName, ...policies), service.endpoint));
}
let names = 0;
const newSecret = (value?: string, resourcePolicy?: object) => {
  const name = `app/secret${names++}`;
  return { name, ...service.createSecret({ name, value, resourcePolicy, description: 'a secret' }) };
};
const put = async (SecretId: string, SecretString: string, VersionStages?: string[]) =>
  (await client.send(new PutSecretValueCommand({ SecretId, SecretString, VersionStages }))).VersionId!;
const get = (SecretId: string, of: { VersionId?: string; VersionStage?: string } = {}) =>
  client.send(new GetSecretValueCommand({ SecretId, ...of }));
const stagesOf = async (SecretId: string) =>
  (await client.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages;
const move = (SecretId: string, VersionStage: string, RemoveFromVersionId?: string, MoveToVersionId?: string) =>
  client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId }));

describe('GetSecretValue', () => {
  it('gives the current value by name, by ARN and by ARN without the suffix', async () => {
    const { arn, name } = newSecret('s3cret');
    expect(arn).toMatch(new RegExp(`^${ARN_PREFIX}${name}-[A-Za-z0-9]{6}$`));
    for (const id of [name, arn, arn.slice(0, -7)]) {
      const output = await get(id);
      expect(output).toMatchObject({ ARN: arn, Name: name, SecretString: 's3cret', VersionStages: ['AWSCURRENT'] });
      expect(output.CreatedDate).toBeInstanceOf(Date);
    }
  });

  it('takes a partial ARN that ends in a hyphen and six characters for a whole one, but not a name', async () => {
    const name = `app/client${names++}-secret`;
    const { arn } = service.createSecret({ name, value: 's3cret' });
    expect(await get(name)).toMatchObject({ ARN: arn, SecretString: 's3cret' });
    expect(await get(arn)).toMatchObject({ ARN: arn, SecretString: 's3cret' });
    await expect(get(arn.slice(0, -7))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('gives binary values', async () => {
    const { arn } = newSecret();
    await client.send(new PutSecretValueCommand({ SecretId: arn, SecretBinary: new Uint8Array([1, 2, 255]) }));
    expect((await get(arn)).SecretBinary).toEqual(new Uint8Array([1, 2, 255]));
  });

  it('gives a version by its id or label', async () => {
    const { arn } = newSecret();
    const first = await put(arn, 'one');
    const second = await put(arn, 'two');
    expect(await get(arn, { VersionId: first })).toMatchObject({ SecretString: 'one', VersionStages: ['AWSPREVIOUS'] });
    expect(await get(arn, { VersionStage: 'AWSPREVIOUS' })).toMatchObject({ SecretString: 'one', VersionId: first });
    expect(await get(arn, { VersionId: second, VersionStage: 'AWSCURRENT' })).toMatchObject({ SecretString: 'two' });
  });

  it.each([
    ['no such secret', 'app/none', {}, "Secrets Manager can't find the specified secret."],
    [
      'no value yet',
      undefined,
      {},
      "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    ],
    [
      'no such version',
      undefined,
      { VersionId: '0'.repeat(32) },
      `Secrets Manager can't find the specified secret value for VersionId: ${'0'.repeat(32)}`,
    ],
  ])('with %s is ResourceNotFoundException', async (_, id, of, message) => {
    await expect(get(id ?? newSecret().arn, of)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('refuses a label that the version does not have', async () => {
    const { arn } = newSecret();
    const VersionId = await put(arn, 'one');
    await expect(get(arn, { VersionId, VersionStage: 'AWSPENDING' })).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: 'You provided a VersionStage that is not associated to the provided VersionId.',
    });
  });
});

describe('PutSecretValue', () => {
  it('moves AWSCURRENT, AWSPREVIOUS follows, and a version without labels is deprecated', async () => {
    const { arn } = newSecret();
    const [first, second, third] = [await put(arn, '1'), await put(arn, '2'), await put(arn, '3')];
    expect(await stagesOf(arn)).toEqual({ [second]: ['AWSPREVIOUS'], [third]: ['AWSCURRENT'] });
    const list = (IncludeDeprecated: boolean) =>
      client.send(new ListSecretVersionIdsCommand({ SecretId: arn, IncludeDeprecated }));
    expect((await list(false)).Versions?.map(({ VersionId }) => VersionId)).toEqual([second, third]);
    expect((await list(true)).Versions?.map(({ VersionId }) => VersionId)).toEqual([first, second, third]);
  });

  it('is idempotent for a token and a value, and refuses another value for the token', async () => {
    const { arn } = newSecret();
    const ClientRequestToken = randomUUID();
    const putWith = (SecretString: string) =>
      client.send(new PutSecretValueCommand({ SecretId: arn, SecretString, ClientRequestToken }));
    expect((await putWith('one')).VersionId).toBe(ClientRequestToken);
    const later = await put(arn, 'two');
    expect(await putWith('one')).toMatchObject({ VersionId: ClientRequestToken, VersionStages: ['AWSPREVIOUS'] });
    expect(await stagesOf(arn)).toMatchObject({ [later]: ['AWSCURRENT'] });
    await expect(putWith('three')).rejects.toMatchObject({ name: 'ResourceExistsException' });
  });

  it('with other labels leaves AWSCURRENT alone', async () => {
    const { arn } = newSecret();
    const current = await put(arn, 'one');
    const pending = await put(arn, 'two', ['AWSPENDING']);
    expect(await stagesOf(arn)).toEqual({ [current]: ['AWSCURRENT'], [pending]: ['AWSPENDING'] });
  });

  it('takes 65,536 bytes and no more', async () => {
    const { arn } = newSecret();
    await put(arn, 'é'.repeat(32_768));
    await expect(put(arn, `${'é'.repeat(32_768)}x`)).rejects.toMatchObject({
      name: 'ValidationException',
      message:
        "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536",
    });
    await expect(put(arn, '')).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('takes 20 labels and no more', async () => {
    const { arn } = newSecret('one');
    await put(
      arn,
      'two',
      Array.from({ length: 19 }, (_, index) => `label${index}`),
    );
    await expect(put(arn, 'three', ['one-more'])).rejects.toMatchObject({ name: 'LimitExceededException' });
  });

  it.each([
    ['no value', {}, 'InvalidRequestException'],
    ['two values', { SecretString: 'a', SecretBinary: new Uint8Array([1]) }, 'InvalidParameterException'],
    ['a short token', { SecretString: 'a', ClientRequestToken: 'short' }, 'InvalidParameterException'],
    ['a value that is no text', { SecretString: 1 as unknown as string }, 'SerializationException'],
  ])('with %s is refused', async (_, input, name) => {
    const { arn } = newSecret();
    await expect(client.send(new PutSecretValueCommand({ SecretId: arn, ...input }))).rejects.toMatchObject({ name });
  });
});

describe('UpdateSecretVersionStage', () => {
  it('moves AWSCURRENT and lets AWSPREVIOUS follow', async () => {
    const { arn } = newSecret();
    const current = await put(arn, 'one');
    const pending = await put(arn, 'two', ['AWSPENDING']);
    await move(arn, 'AWSCURRENT', current, pending);
    expect(await stagesOf(arn)).toEqual({ [current]: ['AWSPREVIOUS'], [pending]: ['AWSPENDING', 'AWSCURRENT'] });
    await move(arn, 'AWSCURRENT', pending, current);
    expect(await stagesOf(arn)).toEqual({ [current]: ['AWSCURRENT'], [pending]: ['AWSPENDING', 'AWSPREVIOUS'] });
  });

  it('removes a label', async () => {
    const { arn } = newSecret();
    const current = await put(arn, 'one');
    const pending = await put(arn, 'two', ['AWSPENDING']);
    await move(arn, 'AWSPENDING', pending);
    expect(await stagesOf(arn)).toEqual({ [current]: ['AWSCURRENT'] });
    expect(await get(arn, { VersionId: pending })).toMatchObject({ SecretString: 'two' });
  });

  it('asks for the version that the label is moved from', async () => {
    const { arn } = newSecret();
    const current = await put(arn, 'one');
    const pending = await put(arn, 'two', ['AWSPENDING']);
    await expect(move(arn, 'AWSCURRENT', undefined, pending)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: `The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version ${current}, so you must explicitly reference that version in RemoveFromVersionId.`,
    });
    await expect(move(arn, 'AWSCURRENT', pending, pending)).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    expect(await stagesOf(arn)).toEqual({ [current]: ['AWSCURRENT'], [pending]: ['AWSPENDING'] });
  });

  it('does not take AWSCURRENT away, nor move it to a version that is not there', async () => {
    const { arn } = newSecret();
    const current = await put(arn, 'one');
    await expect(move(arn, 'AWSCURRENT', current)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining('You can only move staging label AWSCURRENT to a different secret version.'),
    });
    await expect(move(arn, 'AWSCURRENT', current, '0'.repeat(32))).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: `Not a valid version: ${'0'.repeat(32)}`,
    });
    await expect(move(arn, 'AWSCURRENT')).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});

describe('the other operations', () => {
  it('DescribeSecret tells of a secret without a value', async () => {
    const { arn, name } = newSecret();
    const output = await client.send(new DescribeSecretCommand({ SecretId: name }));
    expect(output).toMatchObject({ ARN: arn, Name: name, Description: 'a secret' });
    expect(output.VersionIdsToStages).toBeUndefined();
    expect(output.RotationEnabled).toBeUndefined();
  });

  it('CreateSecret creates, once, and nothing where the value is refused', async () => {
    const create = (SecretString: string) =>
      client.send(new CreateSecretCommand({ Name: 'app/created', SecretString }));
    await expect(create('')).rejects.toMatchObject({ name: 'ValidationException' });
    const { ARN, VersionId } = await create('one');
    expect(await get('app/created')).toMatchObject({ ARN, VersionId, SecretString: 'one' });
    await expect(create('two')).rejects.toMatchObject({ name: 'ResourceExistsException' });
    await expect(client.send(new CreateSecretCommand({ Name: 'a b' }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });

  it('GetRandomPassword keeps to what is asked for', async () => {
    const password = async (input: object) => (await client.send(new GetRandomPasswordCommand(input))).RandomPassword!;
    const byDefault = await password({});
    expect(byDefault).toHaveLength(32);
    for (const type of [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/]) expect(byDefault).toMatch(type);
    expect(
      await password({
        PasswordLength: 64,
        ExcludePunctuation: true,
        ExcludeUppercase: true,
        ExcludeCharacters: 'abc',
      }),
    ).toMatch(/^[d-z0-9]{64}$/);
    await expect(password({ PasswordLength: 3 })).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it('an operation that is not known here is refused by name', async () => {
    await expect(client.send(new DeleteSecretCommand({ SecretId: newSecret().arn }))).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringContaining('DeleteSecret'),
    });
  });
});

describe('permissions', () => {
  it('are judged by the whole ARN, also where the call names the secret', async () => {
    const { name } = newSecret('one');
    const other = newSecret('two');
    const reader = clientWith('reader', allow(['secretsmanager:GetSecretValue'], `${ARN_PREFIX}${name}-??????`));
    expect(await reader.send(new GetSecretValueCommand({ SecretId: name }))).toMatchObject({ SecretString: 'one' });
    for (const SecretId of [other.name, other.arn, 'app/none']) {
      await expect(reader.send(new GetSecretValueCommand({ SecretId }))).rejects.toMatchObject({
        name: 'AccessDeniedException',
      });
    }
    const write = new PutSecretValueCommand({ SecretId: name, SecretString: 'x' });
    await expect(reader.send(write)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringMatching(
        /^User: arn:aws:sts::123456789012:assumed-role\/reader-role\/reader is not authorized to perform: secretsmanager:PutSecretValue on resource: arn:.* because no identity-based policy allows the secretsmanager:PutSecretValue action$/,
      ),
    });
    expect(accessControl.calls.at(-1)).toMatchObject({
      functionName: 'reader',
      service: 'secretsmanager',
      action: 'secretsmanager:PutSecretValue',
      allowed: false,
    });
  });

  it("of the secret's own policy count", async () => {
    const statement = (Effect: string, principal: string) => ({
      Version: '2012-10-17',
      Statement: [{ Effect, Action: 'secretsmanager:GetSecretValue', Resource: '*', Principal: { AWS: principal } }],
    });
    const denying = newSecret('one', statement('Deny', 'arn:aws:iam::123456789012:root'));
    await expect(get(denying.arn)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('with an explicit deny in a resource-based policy'),
    });
    const guest = clientWith('guest');
    const allowing = newSecret('two', statement('Allow', 'arn:aws:iam::123456789012:role/guest-role'));
    expect(await guest.send(new GetSecretValueCommand({ SecretId: allowing.arn }))).toMatchObject({
      SecretString: 'two',
    });
  });
});
