import { AwsError } from './aws-error';

/** Exactly one of the two; `SecretBinary` in base64, as the protocol carries it. */
export interface SecretValue {
  readonly SecretString?: string;
  readonly SecretBinary?: string;
}

export interface SecretVersion {
  readonly id: string;
  readonly createdAt: Date;
  /** A rotation begins with a version that has no value yet. */
  value?: SecretValue;
  /** Staging labels. A version without any is deprecated: it is there until Secrets Manager removes it. */
  readonly stages: Set<string>;
}

export const AWSCURRENT = 'AWSCURRENT';
export const AWSPENDING = 'AWSPENDING';
export const AWSPREVIOUS = 'AWSPREVIOUS';

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MOST_BYTES = 65_536;
const MOST_LABELS = 20;

/**
 * The versions of one secret and their staging labels:
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
 */
export class Secret {
  readonly createdAt = new Date();
  changedAt = this.createdAt;
  readonly versions = new Map<string, SecretVersion>();

  constructor(
    readonly arn: string,
    readonly name: string,
    readonly description: string | undefined,
    public resourcePolicy: object | undefined,
  ) {}

  /** The version that has the label: a label is on one version at most. */
  labelled(stage: string): SecretVersion | undefined {
    return [...this.versions.values()].find(({ stages }) => stages.has(stage));
  }

  /** GetSecretValue: AWSCURRENT unless the request names a version or a label. */
  find(id: string | undefined, stage: string | undefined): SecretVersion & { value: SecretValue } {
    const version = id === undefined ? this.labelled(stage ?? AWSCURRENT) : this.versions.get(id);
    if (version && id !== undefined && stage !== undefined && !version.stages.has(stage)) {
      throw new AwsError(
        'InvalidRequestException',
        'You provided a VersionStage that is not associated to the provided VersionId.',
      );
    }
    if (!version?.value) {
      const what = id === undefined ? `staging label: ${stage ?? AWSCURRENT}` : `VersionId: ${id}`;
      throw new AwsError(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for ${what}`,
      );
    }
    return version as SecretVersion & { value: SecretValue };
  }

  /** PutSecretValue: the token becomes the version's id, and the same value for the same token is no change. */
  put(token: string, value: SecretValue, stages: readonly string[]): SecretVersion {
    checkToken(token);
    checkValue(value);
    const existing = this.versions.get(token);
    if (existing?.value) {
      const { SecretString, SecretBinary } = existing.value;
      if (SecretString === value.SecretString && SecretBinary === value.SecretBinary) return existing;
      throw new AwsError(
        'ResourceExistsException',
        `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${this.arn}.`,
      );
    }
    this.checkLabels(stages);
    const version = existing ?? this.add(token);
    version.value = value;
    this.changedAt = new Date();
    for (const stage of stages) this.attach(stage, version);
    return version;
  }

  /** The version that a rotation fills: AWSPENDING and empty, or what an earlier attempt with the token has left. */
  addPending(token: string): SecretVersion {
    checkToken(token);
    const version = this.versions.get(token) ?? this.add(token);
    this.attach(AWSPENDING, version);
    return version;
  }

  /** UpdateSecretVersionStage; https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html */
  moveStage(stage: string, from: string | undefined, to: string | undefined): void {
    const holder = this.labelled(stage);
    for (const id of [from, to]) {
      if (id !== undefined && !this.versions.has(id)) throw invalidParameter(`Not a valid version: ${id}`);
    }
    if (from === undefined && to === undefined) {
      throw invalidParameter('You must specify MoveToVersionId, RemoveFromVersionId, or both.');
    }
    if (to === undefined && stage === AWSCURRENT) {
      throw invalidParameter(
        'You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.',
      );
    }
    if (from !== undefined && holder?.id !== from) {
      throw invalidParameter(
        `When you move staging label ${stage}, if you specify RemoveFromVersionId, it must be the version that the label is ` +
          `attached to: ${holder?.id ?? 'none'}.`,
      );
    }
    if (holder && from === undefined && holder.id !== to) {
      throw invalidParameter(
        `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ` +
          `${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
      );
    }
    if (to === undefined) {
      holder?.stages.delete(stage);
    } else {
      this.checkLabels([stage]);
      this.attach(stage, this.versions.get(to)!);
    }
    this.changedAt = new Date();
  }

  private add(id: string): SecretVersion {
    const version = { id, createdAt: new Date(), stages: new Set<string>() };
    this.versions.set(id, version);
    return version;
  }

  /** AWSPREVIOUS follows: it goes to the version that loses AWSCURRENT. */
  private attach(stage: string, version: SecretVersion): void {
    const former = this.labelled(stage);
    if (former === version) return;
    former?.stages.delete(stage);
    version.stages.add(stage);
    if (former && stage === AWSCURRENT) this.attach(AWSPREVIOUS, former);
  }

  private checkLabels(added: readonly string[]): void {
    const labels = new Set(added);
    for (const { stages } of this.versions.values()) for (const stage of stages) labels.add(stage);
    if (labels.size > MOST_LABELS) {
      throw new AwsError('LimitExceededException', `A secret can have at most ${MOST_LABELS} staging labels.`);
    }
  }
}

function checkToken(token: string): void {
  if (token.length < 32 || token.length > 64) {
    throw invalidParameter('ClientRequestToken must be 32-64 characters long.');
  }
}

function checkValue({ SecretString, SecretBinary }: SecretValue): void {
  if (SecretString !== undefined && SecretBinary !== undefined) {
    throw invalidParameter(
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  }
  if (SecretString === undefined && SecretBinary === undefined) {
    throw new AwsError('InvalidRequestException', 'You must provide either SecretString or SecretBinary.');
  }
  const member = SecretString === undefined ? 'secretBinary' : 'secretString';
  const bytes = Buffer.byteLength(SecretString ?? SecretBinary!, SecretString === undefined ? 'base64' : 'utf8');
  const constraint =
    bytes === 0 ? 'greater than or equal to 1' : bytes > MOST_BYTES ? `less than or equal to ${MOST_BYTES}` : undefined;
  if (constraint) {
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length ${constraint}`,
    );
  }
}

function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterException', message);
}
