import { randomInt, randomUUID } from 'node:crypto';
import type { AccessControl } from './access-control';
import { AwsError } from './aws-error';
import { assertKnownConditions } from './condition-keys';
import { type Call, startJsonEndpoint } from './json-endpoint';
import type { KeyUse } from './keys';
import { randomPassword } from './random-password';
import { AWSCURRENT, Secret } from './secret';
import { type Invoke, SecretRotation, UnfinishedRotation } from './secret-rotation';
import { createdSecret, OPERATIONS, parseInput } from './secrets-manager-operations';

/** "Secrets Manager assumes that you're specifying a complete ARN" (user guide, troubleshoot: ARN_secretnamehyphen). */
const LOOKS_LIKE_SUFFIX = /-.{6}$/;

export interface LocalSecretsManager {
  /** For AWS_ENDPOINT_URL_SECRETS_MANAGER of the functions. */
  readonly endpoint: string;
  /** As AWS::SecretsManager::Secret; without a value the secret has no version. */
  createSecret(options: {
    name: string;
    value?: string;
    description?: string;
    resourcePolicy?: object;
    /** The customer managed key that it is encrypted under. */
    key?: KeyUse | undefined;
  }): { arn: string };
  /** As AWS::SecretsManager::ResourcePolicy. */
  setResourcePolicy(secretArn: string, policy: object): void;
  /** As AWS::SecretsManager::RotationSchedule. Rejects where `testSecret`, called without a rotation, fails. */
  setRotation(options: {
    secretArn: string;
    functionArn: string;
    scheduleExpression: string;
    rotateImmediately: boolean;
  }): Promise<void>;
  /** As RotateSecret, but waits for the end: rejects where a step fails, or an earlier rotation was unfinished. */
  rotate(secretArn: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Secrets Manager on this machine: its JSON protocol, its versions, staging labels, rotation and limits.
 * @param options.invoke invokes a rotation function as Lambda does on the service's behalf
 */
export async function startSecretsManager(options: {
  accessControl: AccessControl;
  invoke: Invoke;
}): Promise<LocalSecretsManager> {
  const { accessControl, invoke } = options;
  const arnPrefix = `arn:aws:secretsmanager:${accessControl.region}:${accessControl.account}:secret:`;
  const secrets = new Map<string, Secret>();
  const rotations = new Map<Secret, SecretRotation>();
  const keys = new Map<Secret, KeyUse>();

  const server = await startJsonEndpoint({
    service: 'secretsmanager',
    version: '1.1',
    accessControl,
    async handle(call) {
      return { status: 200, body: JSON.stringify(await answer(call)) };
    },
  });

  async function answer({ caller, operation, input: parameters }: Call): Promise<object> {
    const input = parseInput(parameters);
    const action = `secretsmanager:${operation}`;
    if (operation === 'GetRandomPassword') {
      await accessControl.authorize(caller, { action, resource: '*' });
      return { RandomPassword: randomPassword(input) };
    }
    if (operation === 'CreateSecret') {
      // Before it is there, a secret has no suffix to match.
      const { Name = '' } = input;
      const context = { 'secretsmanager:Name': Name };
      await accessControl.authorize(caller, { action, resource: `${arnPrefix}${Name}`, context });
      const secret = newSecret(Name, input.Description);
      const output = createdSecret(secret, input);
      secrets.set(secret.arn, secret);
      return output;
    }
    const run = OPERATIONS[operation];
    if (!run) {
      throw new AwsError('UnknownOperationException', `Secrets Manager on this machine does not know ${operation}.`);
    }
    if (!input.SecretId) {
      throw new AwsError(
        'ValidationException',
        "1 validation error detected: Value at 'secretId' failed to satisfy constraint: Member must not be null",
      );
    }
    const secret = find(input.SecretId);
    await accessControl.authorize(caller, {
      action,
      resource: secret?.arn ?? (input.SecretId.startsWith('arn:') ? input.SecretId : `${arnPrefix}${input.SecretId}`),
      resourcePolicy: secret?.resourcePolicy,
      context: {
        'secretsmanager:SecretId': secret?.arn ?? input.SecretId,
        ...(input.VersionId && { 'secretsmanager:VersionId': input.VersionId }),
        ...(input.VersionStage && { 'secretsmanager:VersionStage': input.VersionStage }),
      },
    });
    const key = keys.get(existing(secret));
    if (key && operation === 'GetSecretValue') await accessControl.authorize(caller, key('kms:Decrypt'));
    if (key && operation === 'PutSecretValue') await accessControl.authorize(caller, key('kms:GenerateDataKey'));
    return run(existing(secret), input, rotations.get(secret!));
  }

  /** By name, by ARN, or by ARN without the suffix, where what it ends in cannot be taken for one. */
  function find(id: string): Secret | undefined {
    const isPartialArn = id.startsWith(arnPrefix) && !LOOKS_LIKE_SUFFIX.test(id);
    return [...secrets.values()].find(
      ({ arn, name }) => id === name || id === arn || (isPartialArn && id === `${arnPrefix}${name}`),
    );
  }

  function existing(secret: Secret | undefined): Secret {
    if (!secret) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return secret;
  }

  function newSecret(name: string, description?: string, resourcePolicy?: object): Secret {
    if (!/^[\w/+=.@-]{1,512}$/.test(name)) {
      throw new AwsError(
        'ValidationException',
        'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
      );
    }
    if (find(name)) {
      throw new AwsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
    }
    if (resourcePolicy) assertKnownConditions(resourcePolicy, `the secret ${name}`);
    return new Secret(`${arnPrefix}${name}-${suffix()}`, name, description, resourcePolicy);
  }

  function rotationOf(secretArn: string): SecretRotation {
    const rotation = rotations.get(existing(secrets.get(secretArn)));
    if (!rotation) throw new Error(`No rotation is set for the secret ${secretArn}.`);
    return rotation;
  }

  return {
    endpoint: server.endpoint,

    createSecret({ name, value, description, resourcePolicy, key }) {
      const secret = newSecret(name, description, resourcePolicy);
      if (key) keys.set(secret, key);
      if (value !== undefined) secret.put(randomUUID(), { SecretString: value }, [AWSCURRENT]);
      secrets.set(secret.arn, secret);
      return { arn: secret.arn };
    },

    setResourcePolicy(secretArn, policy) {
      const secret = existing(secrets.get(secretArn));
      assertKnownConditions(policy, `the secret ${secret.name}`);
      secret.resourcePolicy = policy;
    },

    async setRotation({ secretArn, functionArn, scheduleExpression, rotateImmediately }) {
      const secret = existing(secrets.get(secretArn));
      const former = rotations.get(secret);
      former?.assertFinished();
      const rotation = new SecretRotation(secret, functionArn, scheduleExpression, invoke);
      try {
        if (rotateImmediately) void rotation.inBackground(rotation.start(randomUUID()));
        else await rotation.test();
      } catch (error) {
        rotation.stop();
        throw error;
      }
      former?.stop();
      rotations.set(secret, rotation);
    },

    async rotate(secretArn) {
      try {
        await rotationOf(secretArn).start(randomUUID());
      } catch (error) {
        // The caller hears of the refusal only when what it causes has come to its end, whichever way.
        if (error instanceof UnfinishedRotation) await error.reattempt;
        throw error;
      }
    },

    async close() {
      for (const rotation of rotations.values()) rotation.stop();
      await server.close();
    },
  };
}

/** Six characters that nobody can know before the secret is there. */
function suffix(): string {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 6 }, () => characters[randomInt(characters.length)]).join('');
}
