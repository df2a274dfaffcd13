/** The Content-Security-Policy of a page, by directive. */
export function policyOf(page: { headers: Headers }): Record<string, string[]> {
  const policy = page.headers.get('content-security-policy') ?? '';
  return Object.fromEntries(
    policy.split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ');
      return [name, sources];
    }),
  );
}

/** What a person reads: without markup, style and references. */
export function wordsOf(page: { text: string }): string {
  return page.text
    .replace(/<style>.*?<\/style>|<title>.*?<\/title>/gs, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}
