import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import type { KeySet, RotateKeysConfig } from '../../lib/contract';
import { parseKeySet } from '../key-set/parse-key-set';
import { nextKeySet } from './next-key-set';
import { tryKeySet } from './try-key-set';

/** The staging labels of Secrets Manager: what is in use, and what a rotation prepares. */
const CURRENT = 'AWSCURRENT';
const PENDING = 'AWSPENDING';

/**
 * Turns the key set over in the four steps that Secrets Manager asks for
 * (https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html#rotate-secrets_lambda-functions). Secrets Manager
 * repeats a rotation that failed, with the same ClientRequestToken and from the first step, so each step may be done already.
 */
export class KeyRotation {
  constructor(
    private readonly secretsManager: SecretsManagerClient,
    private readonly config: RotateKeysConfig,
  ) {}

  /**
   * @throws Error where the step cannot be done; nothing is in use that was not before
   */
  async rotate({ Step, SecretId, ClientRequestToken }: SecretsManagerRotationEvent): Promise<void> {
    if (SecretId !== this.config.keySetSecretArn) {
      throw new Error(
        `This function rotates ${this.config.keySetSecretArn} and nothing else, but was called for ${SecretId}.`,
      );
    }
    switch (Step) {
      case 'createSecret':
        return this.create(ClientRequestToken);
      case 'setSecret':
        // The keys are used from the secret itself: there is nowhere else to set them.
        return;
      case 'testSecret':
        return this.test(ClientRequestToken);
      case 'finishSecret':
        return this.finish(ClientRequestToken);
      default:
        throw new Error(`There is no rotation step ${Step satisfies never}.`);
    }
  }

  private async create(token: string): Promise<void> {
    if ((await this.read({ VersionId: token })) !== undefined) {
      return;
    }
    const pending = await nextKeySet(await this.current(), this.config, Math.floor(Date.now() / 1000));
    try {
      await this.secretsManager.send(
        new PutSecretValueCommand({
          SecretId: this.config.keySetSecretArn,
          ClientRequestToken: token,
          SecretString: JSON.stringify(pending),
          VersionStages: [PENDING],
        }),
      );
    } catch (error) {
      // Somebody else did this step for the same token in the meantime, with keys of their own that are as good.
      if (!(error instanceof ResourceExistsException)) {
        throw error;
      }
    }
  }

  private async test(token: string): Promise<void> {
    // When a schedule is set, Secrets Manager calls this step alone, with a version that has no value yet.
    await tryKeySet((await this.read({ VersionId: token })) ?? (await this.current()));
  }

  private async finish(token: string): Promise<void> {
    const { VersionIdsToStages: stages = {} } = await this.secretsManager.send(
      new DescribeSecretCommand({ SecretId: this.config.keySetSecretArn }),
    );
    if (stages[token]?.includes(CURRENT)) {
      return;
    }
    // Without this, a token of long ago would bring its keys back.
    if (!stages[token]?.includes(PENDING) || (await this.read({ VersionId: token })) === undefined) {
      throw new Error(`Version ${token} of the key set is not pending: the rotation has to begin with createSecret.`);
    }
    await this.secretsManager.send(
      new UpdateSecretVersionStageCommand({
        SecretId: this.config.keySetSecretArn,
        VersionStage: CURRENT,
        MoveToVersionId: token,
        RemoveFromVersionId: Object.keys(stages).find((version) => stages[version]?.includes(CURRENT)),
      }),
    );
  }

  private async current(): Promise<KeySet> {
    const keySet = await this.read({ VersionStage: CURRENT });
    if (keySet === undefined) {
      throw new Error('The secret has no key set yet. Deploying the stack makes the first one.');
    }
    return keySet;
  }

  /** The key set in a version of the secret; undefined where there is no such version or it has no value yet. */
  private async read(version: { VersionId: string } | { VersionStage: string }): Promise<KeySet | undefined> {
    try {
      const { SecretString = '' } = await this.secretsManager.send(
        new GetSecretValueCommand({ SecretId: this.config.keySetSecretArn, ...version }),
      );
      return parseKeySet(SecretString);
    } catch (error) {
      if (error instanceof ResourceNotFoundException) {
        return undefined;
      }
      throw error;
    }
  }
}
