import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CachedSecret, type SecretValue } from '../provider/cached-secret';
import { logProblem } from '../provider/log';
import { secretReader } from './secret-reader';

/** Seconds between looks: with the bound of CachedSecret, the operator's new value is in use within a minute. */
const REFRESH = 30;

/** This server's client secret at upstream. It belongs to the operator, who changes it here and there in some order. */
export class ClientSecret {
  readonly #current: CachedSecret;
  readonly #previous: CachedSecret;

  /** @param secretId the secret's ARN or name */
  constructor(client: Pick<SecretsManagerClient, 'send'>, secretId: string) {
    this.#current = new CachedSecret(secretReader(client, secretId), REFRESH);
    this.#previous = new CachedSecret(secretReader(client, secretId, 'AWSPREVIOUS'), REFRESH);
  }

  async current(): Promise<string> {
    return (await this.#current.get()).text;
  }

  /**
   * What else may be right, where upstream does not take `refused`: a newer value than that, then the one before the newest. What cannot
   * be read is left out: upstream's refusal is the better news.
   */
  async *othersThan(refused: string): AsyncGenerator<string> {
    const newest = await textOf(this.#current.fetch());
    if (newest !== undefined && newest !== refused) yield newest;
    const previous = await textOf(this.#previous.get());
    if (previous !== undefined && previous !== refused && previous !== newest) yield previous;
  }
}

async function textOf(value: Promise<SecretValue>): Promise<string | undefined> {
  try {
    return (await value).text;
  } catch (error) {
    // A secret that was never changed has no previous version.
    if ((error as Error).name !== 'ResourceNotFoundException') logProblem('secret.unavailable', error);
    return undefined;
  }
}
