import { hkdfSync } from 'node:crypto';
import { makeKeySet } from '../lambda/key-set/make-key-set';
import { parseKeySet } from '../lambda/key-set/parse-key-set';
import { CachedSecret, type SecretValue } from '../lambda/provider/cached-secret';
import { now } from '../lambda/provider/clock';
import { logEvent, logProblem } from '../lambda/provider/log';
import { SealError, Sealer } from '../lambda/provider/sealer';
import { nextKeySet } from '../lambda/rotate-keys/next-key-set';
import { tryKeySet } from '../lambda/rotate-keys/try-key-set';
import { withoutCurrentKey } from '../lambda/rotate-keys/without-current-key';
import type { Store, StoredRecord } from '../lambda/store/store';
import {
  type KeySet,
  LONGEST_KEY_SET_CACHE,
  LONGEST_LIFETIME,
  OLDEST_KEY_SET,
  type SymmetricKey,
} from '../lib/contract';

/** Seconds between looks of a server at the keys in its store; also max-age of /jwks. */
export const KEY_SET_REFRESH = 60;

/** Seconds for which a key signs. */
const PERIOD = 30 * 24 * 60 * 60;

const PARTITION = 'keys';

/** The store has no key set: no server has started on it that keeps its keys there. */
export class NoKeysError extends Error {
  override readonly name = 'NoKeysError';
}

/** Somebody else has turned the keys over in the same moment. */
export class KeysChangedError extends Error {
  override readonly name = 'KeysChangedError';
}

/** None of the secrets opens the keys that lie in the store. */
export class WrongSecretError extends Error {
  override readonly name = 'WrongSecretError';
}

/** What became of the keys. */
export interface Turn {
  readonly before: KeySet;
  readonly after: KeySet;
}

interface Version {
  readonly number: number;
  readonly keySet: KeySet;
  readonly sealedBy: string;
}

/**
 * The key set of a server that has no place for secrets but its store, sealed under a secret that is not there. Each version is a record of
 * its own that is written once, by whoever is first, and the newest counts: so of many processes that start, or turn the keys over, at once
 * one decides.
 */
export class KeptKeys extends CachedSecret {
  readonly #store: Store;
  readonly #keys: readonly SymmetricKey[];
  readonly #sealer: Sealer;
  readonly #periods: { readonly minimumPublication: number; readonly retirement: number };

  /**
   * @param secrets the first seals, every one opens
   * @param longestToken seconds for which something that is signed is valid
   */
  constructor(store: Store, secrets: readonly string[], longestToken: number) {
    super(() => this.#read(), KEY_SET_REFRESH);
    this.#store = store;
    this.#keys = secrets.map(sealingKey);
    this.#sealer = new Sealer(this.#keys);
    const minimumPublication = OLDEST_KEY_SET * KEY_SET_REFRESH + LONGEST_KEY_SET_CACHE;
    this.#periods = { minimumPublication, retirement: longestToken + minimumPublication };
  }

  /**
   * Makes the next version where it is time: the next key signs and another is published, or all that changes is the secret that seals.
   * Whoever comes second does nothing.
   */
  async turnOver(): Promise<void> {
    const version = await this.#newest();
    const { keySet, sealedBy } = version;
    const isDue = now() >= keySet.next.createdAt + PERIOD;
    if (!isDue && sealedBy === this.#keys[0]?.id) return;
    const next = isDue ? await this.#next(keySet) : keySet;
    if (!(await this.#follow(version, next))) return;
    if (isDue) logEvent('keys.turned_over', { kid: next.current.jwk.kid });
    await this.fetch();
  }

  /**
   * Makes the next version now. The next key signs if it has been published for long enough.
   *
   * @throws KeysChangedError, WrongSecretError
   */
  async turnOverNow(): Promise<Turn> {
    return this.#turn((keySet) => this.#next(keySet));
  }

  /**
   * Takes the key that signs out of use at once, because it has leaked: the next one signs, however long it has been published.
   *
   * @throws KeysChangedError, WrongSecretError
   */
  async revokeCurrent(): Promise<Turn> {
    return this.#turn((keySet) => withoutCurrentKey(keySet, now()));
  }

  /** Looks from time to time whether it is time. @returns what ends that */
  keepTurning(everyMilliseconds: number): () => void {
    const look = () => this.turnOver().catch((error) => logProblem('keys.turn_over_failed', error));
    const timer = setInterval(look, everyMilliseconds).unref();
    return () => clearInterval(timer);
  }

  async #turn(nextOf: (keySet: KeySet) => Promise<KeySet>): Promise<Turn> {
    const found = newestOf(await this.#store.list(PARTITION));
    if (!found) throw new NoKeysError('The store has no keys');
    const version = this.#open(found);
    const after = await nextOf(version.keySet);
    if (!(await this.#follow(version, after))) throw new KeysChangedError('Somebody else has turned the keys over');
    return { before: version.keySet, after };
  }

  #next(keySet: KeySet): Promise<KeySet> {
    return nextKeySet(keySet, { algorithm: 'RS256', ...this.#periods }, now());
  }

  /** @returns false if another version was first */
  async #follow({ number }: Version, keySet: KeySet): Promise<boolean> {
    await tryKeySet(keySet);
    if (!(await this.#write(number + 1, keySet))) return false;
    const older = (await this.#store.list(PARTITION)).filter((record) => numberOf(record) <= number);
    await this.#store.deleteMany(older.map(({ key }) => key));
    return true;
  }

  async #read(): Promise<SecretValue> {
    const { number, keySet } = await this.#newest();
    // With the key's name: a store that has lost its records begins to count again.
    return { text: JSON.stringify(keySet), versionId: `${number} ${keySet.current.jwk.kid}` };
  }

  async #newest(): Promise<Version> {
    const found = newestOf(await this.#store.list(PARTITION));
    if (found) return this.#open(found);
    await this.#write(1, await makeKeySet(now()));
    const first = newestOf(await this.#store.list(PARTITION));
    if (!first) throw new Error('The store does not keep what is written to it');
    return this.#open(first);
  }

  #open(record: StoredRecord): Version {
    const { sealed } = record.value as { readonly sealed: string };
    try {
      const keySet = parseKeySet(this.#sealer.open(sealed, record.key));
      return { number: numberOf(record), keySet, sealedBy: sealed.split('.')[0] ?? '' };
    } catch (cause) {
      if (!(cause instanceof SealError)) throw cause;
      throw new WrongSecretError('The keys in the store were sealed under another secret', { cause });
    }
  }

  #write(number: number, keySet: KeySet): Promise<boolean> {
    // A fixed length, so that the newest is the last.
    const key = `${PARTITION}/${String(number).padStart(10, '0')}`;
    const sealed = this.#sealer.seal(JSON.stringify(keySet), key);
    return this.#store.putIfAbsent(key, { sealed }, (now() + LONGEST_LIFETIME) * 1000);
  }
}

function newestOf(records: readonly StoredRecord[]): StoredRecord | undefined {
  return records.toSorted((a, b) => numberOf(b) - numberOf(a))[0];
}

function numberOf({ key }: StoredRecord): number {
  return Number(key.slice(PARTITION.length + 1));
}

/** HKDF (RFC 5869), for the secret may be of any length. */
function sealingKey(secret: string): SymmetricKey {
  const derived = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `mcp-oidc-auth ${purpose}`, bytes)).toString('base64url');
  return { id: derived('id', 6), key: derived('key set', 32), activeFrom: 0 };
}
