import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import type { RotateKeysConfig } from '../../lib/contract';
import { CURRENT, KeySetSecret, type KeySetVersion, PENDING } from '../key-set/key-set-secret';
import { nextKeySet } from './next-key-set';
import { tryKeySet } from './try-key-set';

/**
 * Turns the key set over in the four steps that Secrets Manager asks for
 * (https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html#rotate-secrets_lambda-functions). Secrets Manager
 * repeats a rotation that failed, with the same ClientRequestToken and from the first step, so each step may be done already.
 */
export class KeyRotation {
  private readonly secret: KeySetSecret;

  constructor(
    secretsManager: SecretsManagerClient,
    private readonly config: RotateKeysConfig,
  ) {
    this.secret = new KeySetSecret(secretsManager, config.keySetSecretArn);
  }

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
    const prepared = await this.secret.read({ VersionId: token });
    if (prepared !== undefined) {
      await this.requireUsable(prepared);
      return;
    }
    const { keySet, versionId } = await this.secret.current();
    const next = await nextKeySet(keySet, this.config, Math.floor(Date.now() / 1000));
    await this.secret.prepare(token, { ...next, basedOn: versionId });
  }

  private async test(token: string): Promise<void> {
    // When a schedule is set, Secrets Manager calls this step alone, with a version that has no value yet.
    const { keySet } = (await this.secret.read({ VersionId: token })) ?? (await this.secret.current());
    await tryKeySet(keySet);
  }

  private async finish(token: string): Promise<void> {
    const prepared = await this.secret.read({ VersionId: token });
    if (prepared === undefined) {
      throw new Error(`Version ${token} of the key set has no value: the rotation has to begin with createSecret.`);
    }
    if (await this.requireUsable(prepared)) {
      await this.secret.promote(token, prepared.keySet.basedOn!);
    }
  }

  /**
   * A version may only follow the one that it was made from: put into use after any other it would bring keys back that were retired, or
   * revoked, in between. One that cannot be used any more is let go, so that it does not keep the next rotation from beginning.
   *
   * @returns whether it still has to be put into use
   */
  private async requireUsable({ versionId, keySet }: KeySetVersion): Promise<boolean> {
    const labels = await this.secret.labels();
    if (labels[versionId]?.includes(CURRENT)) {
      return false;
    }
    const isPending = labels[versionId]?.includes(PENDING) === true;
    if (isPending && keySet.basedOn !== undefined && labels[keySet.basedOn]?.includes(CURRENT)) {
      return true;
    }
    if (isPending) {
      await this.secret.unlabel(PENDING, versionId);
    }
    throw new Error(
      isPending
        ? `Version ${versionId} of the key set was made from a version that is not in use any more. Another rotation begins anew.`
        : `Version ${versionId} of the key set is not pending.`,
    );
  }
}
