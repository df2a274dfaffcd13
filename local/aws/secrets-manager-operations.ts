import { AwsError } from './aws-error';
import type { RandomPasswordOptions } from './random-password';
import { AWSCURRENT, type Secret } from './secret';
import type { SecretRotation } from './secret-rotation';

/** The parameters of the operations below, as https://docs.aws.amazon.com/secretsmanager/latest/apireference/ names them. */
export interface Input extends RandomPasswordOptions {
  readonly Name?: string;
  readonly Description?: string;
  readonly SecretId?: string;
  readonly SecretString?: string;
  readonly SecretBinary?: string;
  readonly ClientRequestToken?: string;
  readonly VersionId?: string;
  readonly VersionStage?: string;
  readonly VersionStages?: readonly string[];
  readonly RemoveFromVersionId?: string;
  readonly MoveToVersionId?: string;
  readonly IncludeDeprecated?: boolean;
}

type Operation = (secret: Secret, input: Input, rotation: SecretRotation | undefined) => object;

/** The operations on a secret that is there. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  GetSecretValue(secret, { VersionId, VersionStage }) {
    const { id, createdAt, value, stages } = secret.find(VersionId, VersionStage);
    return { ...named(secret), VersionId: id, ...value, VersionStages: [...stages], CreatedDate: epoch(createdAt) };
  },

  PutSecretValue(secret, input) {
    const { id, stages } = secret.put(token(input), secretValue(input), input.VersionStages ?? [AWSCURRENT]);
    return { ...named(secret), VersionId: id, VersionStages: [...stages] };
  },

  UpdateSecretVersionStage(secret, { VersionStage, RemoveFromVersionId, MoveToVersionId }) {
    if (!VersionStage) throw new AwsError('InvalidParameterException', 'You must specify VersionStage.');
    secret.moveStage(VersionStage, RemoveFromVersionId, MoveToVersionId);
    return named(secret);
  },

  DescribeSecret(secret, _input, rotation) {
    const labelled = [...secret.versions.values()].filter(({ stages }) => stages.size > 0);
    return {
      ...named(secret),
      Description: secret.description,
      CreatedDate: epoch(secret.createdAt),
      LastChangedDate: epoch(secret.changedAt),
      ...(labelled.length > 0 && {
        VersionIdsToStages: Object.fromEntries(labelled.map(({ id, stages }) => [id, [...stages]])),
      }),
      ...(rotation && {
        RotationEnabled: true,
        RotationLambdaARN: rotation.functionArn,
        RotationRules: { ScheduleExpression: rotation.scheduleExpression },
        LastRotatedDate: rotation.lastRotatedAt && epoch(rotation.lastRotatedAt),
        NextRotationDate: epoch(rotation.nextRotationAt),
      }),
    };
  },

  ListSecretVersionIds(secret, { IncludeDeprecated }) {
    const versions = [...secret.versions.values()].filter(({ stages }) => IncludeDeprecated || stages.size > 0);
    return {
      ...named(secret),
      Versions: versions.map(({ id, createdAt, stages }) => ({
        VersionId: id,
        VersionStages: [...stages],
        CreatedDate: epoch(createdAt),
      })),
    };
  },

  /** Answers at once; the rotation goes on by itself. */
  RotateSecret(secret, input, rotation) {
    for (const parameter of ['RotationLambdaARN', 'RotationRules', 'RotateImmediately']) {
      if (parameter in input) {
        throw new AwsError(
          'InvalidParameterException',
          `RotateSecret does not take ${parameter} on this machine: rotation is set by the template alone.`,
        );
      }
    }
    if (!rotation) {
      throw new AwsError('InvalidRequestException', 'No Lambda rotation function ARN is associated with this secret.');
    }
    const VersionId = token(input);
    void rotation.inBackground(rotation.start(VersionId));
    return { ...named(secret), VersionId };
  },
};

/** CreateSecret, which may leave the value to a later PutSecretValue. */
export function createdSecret(secret: Secret, input: Input): object {
  if (input.SecretString === undefined && input.SecretBinary === undefined) return named(secret);
  const { id } = secret.put(token(input), secretValue(input), [AWSCURRENT]);
  return { ...named(secret), VersionId: id };
}

/**
 * @throws AwsError SerializationException where a parameter has a wrong type
 */
export function parseInput(parameters: Record<string, unknown>): Input {
  for (const [name, value] of Object.entries(parameters)) {
    const isRight = LISTS.has(name)
      ? Array.isArray(value) && value.every((member) => typeof member === 'string')
      : !TEXTS.has(name) || typeof value === 'string';
    if (!isRight) throw new AwsError('SerializationException', `${name} has a wrong type.`);
  }
  return parameters;
}

const LISTS = new Set(['VersionStages']);
const TEXTS = new Set([
  'Name',
  'Description',
  'SecretId',
  'SecretString',
  'SecretBinary',
  'ClientRequestToken',
  'VersionId',
  'VersionStage',
  'RemoveFromVersionId',
  'MoveToVersionId',
  'ExcludeCharacters',
]);

function named({ arn, name }: Secret): object {
  return { ARN: arn, Name: name };
}

/** SDKs and the AWS CLI make it themselves. */
function token({ ClientRequestToken }: Input): string {
  if (ClientRequestToken) return ClientRequestToken;
  throw new AwsError(
    'InvalidRequestException',
    'You must provide a ClientRequestToken value. We recommend a UUID-type value.',
  );
}

function secretValue({ SecretString, SecretBinary }: Input) {
  return { ...(SecretString !== undefined && { SecretString }), ...(SecretBinary !== undefined && { SecretBinary }) };
}

/** The protocol's timestamps are seconds. */
function epoch(date: Date): number {
  return date.getTime() / 1000;
}
