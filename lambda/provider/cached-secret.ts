import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { logProblem } from './log';

export interface SecretValue {
  readonly text: string;
  readonly versionId: string;
}

/** A value that is older than this many refresh intervals is not served while a newer one is fetched. What else depends on it: lib/key-set.ts. */
const HARD_BOUND = 2;

/** A version of a secret. A stale one is served while the next is fetched, so that no request waits for a rotation. */
export class CachedSecret {
  #value: SecretValue | undefined;
  #fetchedAt = 0;
  #fetching: Promise<SecretValue> | undefined;

  /**
   * @param secretId the secret's ARN or name
   * @param refresh seconds between looks at the secret
   * @param stage the staging label of the version
   */
  constructor(
    private readonly client: Pick<SecretsManagerClient, 'send'>,
    private readonly secretId: string,
    private readonly refresh: number,
    private readonly stage: 'AWSCURRENT' | 'AWSPREVIOUS' = 'AWSCURRENT',
  ) {}

  async get(): Promise<SecretValue> {
    const age = (Date.now() - this.#fetchedAt) / 1000;
    if (this.#value && age < this.refresh) return this.#value;
    const fetching = this.fetch();
    if (!this.#value) return fetching;
    if (age < this.refresh * HARD_BOUND) {
      fetching.catch((error) => logProblem('secret.unavailable', error));
      return this.#value;
    }
    // Past the bound the newest value is wanted; the old one still beats an outage.
    const old = this.#value;
    return fetching.catch((error) => {
      logProblem('secret.unavailable', error);
      return old;
    });
  }

  /** Looks at the secret now, whatever was seen before. */
  fetch(): Promise<SecretValue> {
    this.#fetching ??= this.#read().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #read(): Promise<SecretValue> {
    const { SecretString, VersionId } = await this.client.send(
      new GetSecretValueCommand({ SecretId: this.secretId, VersionStage: this.stage }),
    );
    this.#value = { text: SecretString ?? '', versionId: VersionId ?? '' };
    this.#fetchedAt = Date.now();
    return this.#value;
  }
}
