import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { KeySet } from '../../lib/contract';
import { parseKeySet } from './parse-key-set';

/** The staging labels of Secrets Manager: what is in use, what is to follow, and what was in use before. */
export const CURRENT = 'AWSCURRENT';
export const PENDING = 'AWSPENDING';
export const PREVIOUS = 'AWSPREVIOUS';

/** There is no such secret, or it has no value yet: Secrets Manager does not tell which. */
export class NoKeySetError extends Error {
  override readonly name = 'NoKeySetError';
}

export interface KeySetVersion {
  readonly versionId: string;
  readonly keySet: KeySet;
}

/**
 * The versions of the key set secret. A new one is pending first and names the version that it was made from; it is put into use only in
 * the place of that one, so that of two changes at once one is lost and none undone.
 */
export class KeySetSecret {
  /** @param secretId ARN or name */
  constructor(
    private readonly secretsManager: SecretsManagerClient,
    private readonly secretId: string,
  ) {}

  /** @throws NoKeySetError */
  async current(): Promise<KeySetVersion> {
    const version = await this.read({ VersionStage: CURRENT });
    if (version === undefined) {
      throw new NoKeySetError('The secret has no key set yet. Deploying the stack makes the first one.');
    }
    return version;
  }

  /** undefined where there is no such version or it has no value yet. */
  async read(version: { VersionId: string } | { VersionStage: string }): Promise<KeySetVersion | undefined> {
    try {
      const { SecretString = '', VersionId = '' } = await this.secretsManager.send(
        new GetSecretValueCommand({ SecretId: this.secretId, ...version }),
      );
      return { versionId: VersionId, keySet: parseKeySet(SecretString) };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) {
        return undefined;
      }
      throw error;
    }
  }

  /** The labels of each version. */
  async labels(): Promise<Readonly<Record<string, string[]>>> {
    const { VersionIdsToStages = {} } = await this.secretsManager.send(
      new DescribeSecretCommand({ SecretId: this.secretId }),
    );
    return VersionIdsToStages;
  }

  /**
   * Makes a pending version, unless the token has one already: somebody else did this step for it in the meantime, with keys of their own
   * that are as good.
   *
   * @param token becomes the version's id
   */
  async prepare(token: string, keySet: KeySet): Promise<void> {
    try {
      await this.secretsManager.send(
        new PutSecretValueCommand({
          SecretId: this.secretId,
          ClientRequestToken: token,
          SecretString: JSON.stringify(keySet),
          VersionStages: [PENDING],
        }),
      );
    } catch (error) {
      if (!(error instanceof ResourceExistsException)) {
        throw error;
      }
    }
  }

  /**
   * Puts a version into use, in the place of the one that it is based on and of no other: Secrets Manager refuses to take a label from a
   * version that has not got it.
   */
  async promote(token: string, basedOn: string): Promise<void> {
    await this.secretsManager.send(
      new UpdateSecretVersionStageCommand({
        SecretId: this.secretId,
        VersionStage: CURRENT,
        MoveToVersionId: token,
        RemoveFromVersionId: basedOn,
      }),
    );
  }

  /** Takes a label off a version. Versions without any are deleted by Secrets Manager in its time. */
  async unlabel(stage: string, versionId: string): Promise<void> {
    await this.secretsManager.send(
      new UpdateSecretVersionStageCommand({
        SecretId: this.secretId,
        VersionStage: stage,
        RemoveFromVersionId: versionId,
      }),
    );
  }
}
