import type { Person } from './people';

/** The sign-in form; it posts to the address that shows it. */
export function signInPage(people: readonly Person[], form: { username: string; failed?: boolean }): string {
  const error = form.failed
    ? '<p id="error" class="error" role="alert">That e-mail address and password do not belong together.</p>'
    : '';
  const described = form.failed ? ' aria-describedby="error" aria-invalid="true"' : '';
  // After a failure the cursor belongs where the mistake most likely is.
  const [onUsername, onPassword] = form.username ? ['', ' autofocus'] : [' autofocus', ''];
  return page(
    // The title is what a screen reader says first.
    form.failed ? 'Sign in: try again' : 'Sign in',
    `${error}
<form method="post">
  <label for="username">E-mail address</label>
  <input id="username" name="username" type="text" inputmode="email" autocomplete="username" autocapitalize="none"
    spellcheck="false" required value="${escapeHtml(form.username)}"${described}${onUsername}>
  <label for="password">Password</label>
  <input id="password" name="password" type="password" autocomplete="current-password" required${described}${onPassword}>
  <button type="submit" class="primary">Sign in</button>
  <button type="submit" name="cancel" value="yes" formnovalidate>Cancel</button>
</form>
<section aria-labelledby="people">
  <h2 id="people">Who can sign in here</h2>
  <ul>${people.map((person) => `<li>${escapeHtml(person.claims.name)}, <code>${escapeHtml(person.username)}</code></li>`).join('')}</ul>
  <p>The passwords are in the terminal that runs this demo.</p>
</section>`,
  );
}

export function signOutPage(person: Person | undefined): string {
  if (!person) return page('Sign out', '<p>Nobody is signed in.</p>');
  return page(
    'Sign out',
    `<p>You are signed in as <strong>${escapeHtml(person.claims.name)}</strong>.</p>
<form method="post" action="/sign-out"><button type="submit" class="primary">Sign out</button></form>`,
  );
}

export function signedOutPage(): string {
  return page('Signed out', '<p>The next application that sends you here asks for your password again.</p>');
}

export function errorPage(message: string): string {
  return page(
    'This did not work',
    `<p>${escapeHtml(message)}</p><p>Go back to the application that sent you here, and start again.</p>`,
  );
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} - Demo identity provider</title>
<style>${STYLE}</style>
</head>
<body>
<header>Demo identity provider</header>
<main>
<h1>${title}</h1>
${content}
</main>
<footer>It stands in for your company's own and runs on this machine alone.</footer>
</body>
</html>
`;
}

/** Contrast is at least 4.5:1 in both schemes (WCAG 2.2, 1.4.3). */
const STYLE = `
:root { color-scheme: light dark; --back: #f2f4f8; --card: #fff; --text: #1b2330; --soft: #566173; --line: #7d8798;
  --accent: #0b5d57; --on-accent: #fff; --bad: #a3161f; --bad-back: #fdecec; }
@media (prefers-color-scheme: dark) { :root { --back: #12161d; --card: #1c222c; --text: #e8ecf3; --soft: #a5b0c2;
  --line: #758196; --accent: #5fd0c5; --on-accent: #06211f; --bad: #ffb3b3; --bad-back: #47191c; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center; justify-content: center;
  gap: 1rem; padding: 1rem; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
header, footer { max-width: 24rem; text-align: center; color: var(--soft); }
header { font-weight: 600; letter-spacing: .02em; }
footer { font-size: .875rem; }
main { width: 100%; max-width: 24rem; padding: 1.5rem; background: var(--card); border-radius: .75rem;
  border: 1px solid transparent; border-top: .25rem solid var(--accent); overflow-wrap: anywhere; box-shadow: 0 1px 3px rgb(0 0 0 / .2); }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.2; }
h2 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
p, ul { margin: 0 0 .75rem; } ul { padding-left: 1.25rem; } section p { color: var(--soft); margin: 0; }
label { display: block; margin-bottom: .25rem; font-weight: 600; }
input, button { width: 100%; min-height: 2.75rem; padding: .5rem .75rem; border: 1px solid var(--line);
  border-radius: .5rem; background: transparent; color: inherit; font: inherit; }
input { margin-bottom: 1rem; }
button { cursor: pointer; font-weight: 600; } button + button { margin-top: .5rem; }
.primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
@media (forced-colors: active) { .primary { forced-color-adjust: none; border-color: Highlight; background: Highlight;
  color: HighlightText; } }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.error { padding: .5rem .75rem; border-radius: .5rem; background: var(--bad-back); color: var(--bad); }
`;

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
