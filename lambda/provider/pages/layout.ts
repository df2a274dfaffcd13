import type { HttpResponse } from '../http';
import { Html, html } from './html';
import type { Presentation } from './presentation';

export interface PageContent {
  readonly status: number;
  /** Plain text; the title of the window. */
  readonly title: string;
  /** What stands in `main`, with an `h1`. */
  readonly main: Html;
  /** Where its form may lead, redirects included, as CSP sources. */
  readonly formAction?: readonly string[];
}

/** A whole page: no script, no frame around it, nothing from elsewhere. */
export function page({ name, logo, style, language }: Presentation, content: PageContent): HttpResponse {
  const { status, title, main, formAction = [] } = content;
  const document = html`<!doctype html>
<html lang="${language.tag}" dir="${language.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${name === undefined ? title : `${title} – ${name}`}</title>
<link rel="icon" href="${logo ?? 'data:,'}">
<style>${new Html(style.text)}</style>
</head>
<body>
${header(name, logo)}<main>
${main}
</main>
</body>
</html>
`;
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-language': language.tag,
      'content-security-policy': [
        "default-src 'none'",
        `style-src ${style.cspSource}`,
        // The icon, which is empty where there is no logo: a browser would ask for /favicon.ico otherwise.
        'img-src data:',
        `form-action ${formAction.length > 0 ? formAction.join(' ') : "'none'"}`,
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ].join('; '),
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      vary: 'Accept-Language',
    },
    cookies: [],
    body: document.text,
  };
}

/** A logo says the name already. */
function header(name: string | undefined, logo: string | undefined): Html | undefined {
  if (name === undefined) return undefined;
  return html`<header>${logo ? html`<img src="${logo}" alt="${name}">` : html`<bdi>${name}</bdi>`}</header>
`;
}
