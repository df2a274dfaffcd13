/**
 * JSON that a terminal shows as it is: strangers may have written some of it, and JSON lets through what a terminal takes
 * for a command or shows in another order than it is written (DEL, C1 and format characters).
 */
export function printableJson(value: object | string, indentation?: number): string {
  return JSON.stringify(value, undefined, indentation).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\n' ? character : escaped(character),
  );
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
