import { describe, expect, it } from 'vitest';
import { logProblem, logTo } from '../../../lambda/provider/log';

/** What is logged of an error that says `text` wherever an error can say something. */
function logged(text: string): Readonly<Record<string, string>> {
  const written: Record<string, unknown>[] = [];
  logTo((_level, _event, fields) => written.push(fields));
  const said = { error: text, error_description: text };
  logProblem('upstream.refused', Object.assign(new Error(text, { cause: new Error(text) }), said));
  logProblem('upstream.refused', text);
  const [{ message, code, description, cause } = {}, { message: thrown } = {}] = written;
  return { message, code, description, cause, thrown } as Record<string, string>;
}

describe('what the other side says, in the log,', () => {
  it.each([
    ["User account 'ada@example.com' does not exist", "User account '{address}' does not exist"],
    ['ada@example.com', '{address}'],
    ['<ada@example.com>, (bob@example.com) cy@example.com', '<{address}>, ({address}) {address}'],
    ['ada@one.example@two.example', '{address}@two.example'],
    ['ada@', 'ada@'],
    ['@example.com', '@example.com'],
  ])('has no address: %s', (text, expected) => {
    for (const [field, value] of Object.entries(logged(text))) {
      expect([field, value]).toEqual([field, field === 'cause' ? `Error: ${expected}` : expected]);
    }
  });

  it('is bounded', () => {
    for (const [field, value] of Object.entries(logged('a'.repeat(100_000)))) {
      expect([field, value.length]).toEqual([field, 1_001]);
      expect(value).toMatch(/a…$/);
    }
  });

  it('shows no part of an address that stands where it is cut', () => {
    const address = 'ada.lovelace@people.example.com';
    for (let before = 1_000 - 2 * address.length; before <= 1_000; before++) {
      const values = Object.values(logged(`${'x'.repeat(before)} ${address}`)).join();
      expect(values).not.toMatch(/ada|lovelace|people/);
    }
  });
});
