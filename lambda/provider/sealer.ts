import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SymmetricKey } from '../../lib/contract';
import { activeAt } from './active-key';
import { now } from './clock';

/** A sealed text cannot be opened: it was changed, it was moved here from another record, or its key is gone. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/** NIST SP 800-38D section 8.2.2: 96 random bits, for far fewer than 2^32 texts under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts what a record must keep and a dump of the table must not show, with AES-256-GCM. A sealed text belongs to
 * the record that it was made for: it does not open in another.
 */
export class Sealer {
  readonly #newestFirst: readonly SymmetricKey[];

  /** @param keys of the key set; the newest that is active seals, every one opens */
  constructor(keys: readonly SymmetricKey[]) {
    this.#newestFirst = [...keys].sort((a, b) => b.activeFrom - a.activeFrom);
  }

  /** @param recordKey of the record that will hold it */
  seal(text: string, recordKey: string): string {
    const { id, key } = activeAt(this.#newestFirst, now());
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(key, 'base64url'), nonce);
    cipher.setAAD(Buffer.from(recordKey));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${id}.${sealed.toString('base64url')}`;
  }

  /** @throws SealError */
  open(sealed: string, recordKey: string): string {
    const [id, encoded = ''] = sealed.split('.');
    const key = this.#newestFirst.find((candidate) => candidate.id === id);
    if (!key) throw new SealError('The key that sealed this is not in the key set');
    const bytes = Buffer.from(encoded, 'base64url');
    try {
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key.key, 'base64url'), nonce, {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(recordKey));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString();
    } catch (cause) {
      throw new SealError('This was not sealed for this record, or was changed since', { cause });
    }
  }
}
