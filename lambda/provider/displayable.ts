/** What others wrote, without characters that hide or turn what stands around them, and not too much of it. */
export function displayable(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, 100);
}
