import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { SealError, Sealer } from '../../../lambda/provider/sealer';
import type { SymmetricKey } from '../../../lib/contract';

function key(id: string, activeFrom: number): SymmetricKey {
  return { id, key: randomBytes(32).toString('base64url'), activeFrom };
}

const [old, recent] = [key('old', 1), key('recent', 2)];

test('what is sealed opens for its record, and shows nothing of itself', () => {
  const sealer = new Sealer([old]);
  const sealed = sealer.seal('a token', 'grant#1/upstream');
  expect(sealed).not.toContain('token');
  expect(Buffer.from(sealed.split('.')[1]!, 'base64url').toString('latin1')).not.toContain('a token');
  expect(sealer.open(sealed, 'grant#1/upstream')).toBe('a token');
  expect(sealer.seal('a token', 'grant#1/upstream')).not.toBe(sealed);
});

test('what is moved to another record does not open there', () => {
  const sealer = new Sealer([old]);
  const sealed = sealer.seal('a token', 'grant#1/upstream');
  expect(() => sealer.open(sealed, 'grant#2/upstream')).toThrow(SealError);
});

test.each([0, 20, -1])('what was changed at byte %i does not open', (at) => {
  const sealer = new Sealer([old]);
  const [id, encoded] = sealer.seal('a token that is long enough', 'record').split('.') as [string, string];
  const bytes = Buffer.from(encoded, 'base64url');
  const index = at < 0 ? bytes.length + at : at;
  bytes[index]! ^= 1;
  expect(() => sealer.open(`${id}.${bytes.toString('base64url')}`, 'record')).toThrow(SealError);
});

test.each(['', 'old', 'old.', 'old.AAAA', `old.${'A'.repeat(38)}`, 'unknown.AAAA'])('%j is no sealed text', (text) => {
  expect(() => new Sealer([old]).open(text, 'record')).toThrow(SealError);
});

test('the newest key seals, and what an older one sealed opens as long as that is there', () => {
  const before = new Sealer([old]).seal('a token', 'record');
  const sealer = new Sealer([old, recent]);
  expect(sealer.open(before, 'record')).toBe('a token');
  const after = sealer.seal('a token', 'record');
  expect(new Sealer([recent]).open(after, 'record')).toBe('a token');
  expect(() => new Sealer([recent]).open(before, 'record')).toThrow(SealError);
});
