import { createHash } from 'node:crypto';
import { PAGE_SURFACE, type PageColors } from '../../../lib/page-appearance';

const COLORS: PageColors = { accent: '#1f5fd0', onAccent: '#ffffff', accentDark: '#8ab4ff', onAccentDark: '#0b1526' };

/** The one style sheet of every page, and the source that lets it in (Content Security Policy Level 3 section 8.4). */
export class Style {
  readonly text: string;
  readonly cspSource: string;

  constructor(colors: PageColors = COLORS) {
    this.text = sheet(colors);
    this.cspSource = `'sha256-${createHash('sha256').update(this.text).digest('base64')}'`;
  }
}

/**
 * Contrast is at least 4.5:1 for text and 3:1 for what surrounds it (WCAG 2.2, 1.4.3 and 1.4.11). Sizes follow the reader's
 * own, nothing needs more than 320 px, and nothing moves.
 */
const sheet = ({ accent, onAccent, accentDark, onAccentDark }: PageColors) => `
:root{color-scheme:light dark;--ground:#f4f5f7;--card:${PAGE_SURFACE.light};--ink:#16181d;--quiet:#5b6270;--line:#dfe2e8;--edge:#7a8190;--accent:${accent};--on-accent:${onAccent};--warn:#fff4d6;--warn-ink:#5c4300}
@media (prefers-color-scheme:dark){:root{--ground:#111317;--card:${PAGE_SURFACE.dark};--ink:#eceef2;--quiet:#a3abb9;--line:#343944;--edge:#828a99;--accent:${accentDark};--on-accent:${onAccentDark};--warn:#3a2f12;--warn-ink:#ffe3a1}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;gap:1rem;padding:1.5rem 1rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main{width:100%;max-width:30rem;overflow-wrap:anywhere}
header{display:flex;align-items:center;justify-content:center;gap:.75rem;color:var(--quiet);font-weight:600;text-align:center}
header img{display:block;max-width:100%;height:2.5rem;object-fit:contain}
main{background:var(--card);border:1px solid var(--line);border-radius:.9rem;padding:2rem 1.75rem}
h1{margin:0 0 .5rem;font-size:1.4rem;line-height:1.3}
h2{margin:1.5rem 0 .25rem;font-size:1rem}
p{margin:.5rem 0}
a{color:inherit;text-underline-offset:.15em}
.quiet{color:var(--quiet);font-size:.9rem}
ul{margin:.25rem 0;padding:0;list-style:none}
li{padding-block:.45rem}
.scopes li{padding-inline-start:1.75rem;position:relative}
.scopes li::before{content:"";position:absolute;inset-block-start:.75rem;inset-inline-start:.4rem;width:.4rem;height:.75rem;border:solid var(--accent);border-width:0 .15rem .15rem 0;transform:rotate(45deg)}
li code{display:block;color:var(--quiet);font-size:.8rem}
dl{margin:1.25rem 0 0;border-top:1px solid var(--line)}
dl div{padding:.6rem 0;border-bottom:1px solid var(--line)}
dt{color:var(--quiet);font-size:.85rem}
dd{margin:0;font-weight:600}
dd.target{font-size:1.15rem}
.warning{margin:1.25rem 0 0;padding:.75rem 1rem;border:1px solid;border-radius:.5rem;background:var(--warn);color:var(--warn-ink)}
form,.actions{margin:1.5rem 0 0;display:grid;gap:.6rem}
.actions form{margin:0}
button,.button{display:block;width:100%;min-height:2.9rem;padding:.6rem 1rem;border-radius:.55rem;border:1px solid var(--edge);background:transparent;color:inherit;font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
footer{margin:1.5rem 0 0;padding-top:.75rem;border-top:1px solid var(--line);color:var(--quiet);font-size:.9rem}
footer>:first-child{margin-top:0}
footer>:last-child{margin-bottom:0}
@media (max-width:30rem){main{padding:1.5rem 1.15rem}}
@media (forced-colors:active){.primary{forced-color-adjust:none;background:Highlight;border-color:Highlight;color:HighlightText}:focus-visible{outline-color:Highlight}}
`;
