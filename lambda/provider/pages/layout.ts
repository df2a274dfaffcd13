import { createHash } from 'node:crypto';
import type { HttpResponse } from '../http';
import { type Html, html } from './html';

const STYLE = `
:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--ink:#16181d;--quiet:#5b6270;--line:#dfe2e8;--accent:#1f5fd0;--on-accent:#fff;--warn:#fff4d6;--warn-ink:#5c4300}
@media (prefers-color-scheme:dark){:root{--ground:#111317;--card:#1b1e24;--ink:#eceef2;--quiet:#a3abb9;--line:#343944;--accent:#8ab4ff;--on-accent:#0b1526;--warn:#3a2f12;--warn-ink:#ffe3a1}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem 1rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:29rem;background:var(--card);border:1px solid var(--line);border-radius:.9rem;padding:2rem 1.75rem;overflow-wrap:anywhere}
h1{margin:0 0 .5rem;font-size:1.4rem;line-height:1.3}
h2{margin:1.5rem 0 .25rem;font-size:1rem}
p{margin:.5rem 0}
.quiet{color:var(--quiet);font-size:.9rem}
ul{margin:.25rem 0;padding:0;list-style:none}
li{padding:.45rem 0 .45rem 1.75rem;position:relative}
li::before{content:"✓";position:absolute;left:.25rem;color:var(--accent);font-weight:700}
li code{display:block;color:var(--quiet);font-size:.8rem}
dl{margin:1.25rem 0 0;border-top:1px solid var(--line)}
dl div{padding:.6rem 0;border-bottom:1px solid var(--line)}
dt{color:var(--quiet);font-size:.85rem}
dd{margin:0;font-weight:600}
.warning{margin:1.25rem 0 0;padding:.75rem 1rem;border-radius:.5rem;background:var(--warn);color:var(--warn-ink)}
form{margin:1.5rem 0 0;display:grid;gap:.6rem}
button,.button{display:block;width:100%;min-height:2.9rem;padding:.6rem 1rem;border-radius:.55rem;border:1px solid var(--line);background:transparent;color:inherit;font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media (max-width:30rem){main{padding:1.5rem 1.15rem}}
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/**
 * A whole page: no script, no frame around it, nothing from elsewhere.
 *
 * @param formAction where its form may lead, redirects included, as CSP sources
 */
export function page(status: number, title: string, content: Html, formAction: readonly string[] = []): HttpResponse {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`;
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': [
        "default-src 'none'",
        `style-src 'sha256-${STYLE_HASH}'`,
        `form-action ${formAction.length > 0 ? formAction.join(' ') : "'none'"}`,
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ].join('; '),
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    },
    cookies: [],
    body: document.text,
  };
}

function raw(text: string): Html {
  return html([text] as unknown as TemplateStringsArray);
}
