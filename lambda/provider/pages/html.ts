/** Markup that is safe to send. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | undefined | readonly (Html | undefined)[];

/** A template whose values are escaped, unless they are markup themselves. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, i) => text + render(parts[i - 1]) + string));
}

/** What others wrote: its direction stays its own, whatever it begins or ends with. */
export function bdi(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** The same where there can be no markup: between U+2068 and U+2069. */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

function render(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
