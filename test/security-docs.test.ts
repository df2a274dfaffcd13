import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attacks, citationsOf, ROOT, rows } from './attacks/attack-list';

/** Whether a file has a test or a suite of this title: the first argument of a call, in any quotes. */
function isTitle(title: string, file: string): boolean {
  const source = readFileSync(join(ROOT, file), 'utf8');
  return [`'${title}'`, `"${title}"`, `\`${title}\``].some((literal) => {
    const at = source.indexOf(literal);
    return at >= 0 && /\(\s*$/.test(source.slice(0, at)) && /^\s*,/.test(source.slice(at + literal.length));
  });
}

describe('docs/security.md', () => {
  const cited = rows().flatMap(({ cells }) => citationsOf(cells.join(' ')));

  it('cites tests that exist', () => {
    expect(cited.length).toBeGreaterThan(100);
    expect(cited.filter(({ title, file }) => !existsSync(join(ROOT, file)) || !isTitle(title, file))).toEqual([]);
  });

  it('has a test for each attack', () => {
    expect(attacks().length).toBeGreaterThan(50);
    expect(attacks().filter(({ citations }) => citations.length === 0)).toEqual([]);
  });

  it('names a test for each requirement, and the level or the section that asks for it', () => {
    const mapped = rows().filter(({ section }) => /^(MCP authorization|RFC 9700)/.test(section));
    const requirements = mapped.filter(({ cells }) => !['Requirement', 'Section'].includes(cells[0] ?? ''));
    expect(requirements.length).toBeGreaterThan(60);
    for (const { cells } of requirements) {
      const [requirement, level, , tests = ''] = cells;
      expect([requirement, cells.length, citationsOf(tests).length > 0, Boolean(level)]).toEqual([
        requirement,
        4,
        true,
        true,
      ]);
    }
  });
});

describe('the attacks', () => {
  it('are all in the table', () => {
    const own = new Set(attacks().flatMap(({ citations }) => citations.map(({ file }) => file)));
    const written = readdirSync(join(ROOT, 'test', 'attacks')).filter((name) => name.endsWith('.test.ts'));
    expect(written.filter((name) => !own.has(`test/attacks/${name}`))).toEqual([]);
  });
});
