import { logProblem } from './log';

export interface SecretValue {
  readonly text: string;
  readonly versionId: string;
}

/** A value that is older than this many refresh intervals is not served while a newer one is fetched. What else depends on it: lib/key-set.ts. */
const HARD_BOUND = 2;

/** A secret, wherever it is kept. A stale value is served while the next is fetched, so that no request waits for a rotation. */
export class CachedSecret {
  #value: SecretValue | undefined;
  #fetchedAt = 0;
  #fetching: Promise<SecretValue> | undefined;

  /**
   * @param read looks where it is kept
   * @param refresh seconds between looks
   */
  constructor(
    private readonly read: () => Promise<SecretValue>,
    private readonly refresh: number,
  ) {}

  async get(): Promise<SecretValue> {
    // Of either sign: a clock that was set back does not make it last until that time comes again.
    const age = Math.abs(Date.now() - this.#fetchedAt) / 1000;
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
    this.#value = await this.read();
    this.#fetchedAt = Date.now();
    return this.#value;
  }
}
