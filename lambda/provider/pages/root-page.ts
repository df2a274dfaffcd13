import type { HttpResponse } from '../http';
import { METADATA_PATHS } from '../routes';
import { html } from './html';
import { page } from './layout';
import type { Presentation } from './presentation';

/** For how long browsers may keep it, in seconds. */
const MAX_AGE = 300;

/** What stands at the issuer's own address, for a person who tries it. It tells strangers nothing about what is behind. */
export function rootPage(presentation: Presentation): HttpResponse {
  const { language, supportUrl } = presentation;
  const response = page(presentation, {
    status: 200,
    title: language.sayPlainly('rootTitle'),
    main: html`<h1>${language.say('rootTitle')}</h1>
<p>${language.say('rootPurpose')}</p>
<p>${language.say('rootToDo')}</p>
${supportUrl === undefined ? undefined : html`<p><a href="${supportUrl}" rel="noreferrer">${language.say('support')}</a></p>`}
<footer>
<h2 id="metadata">${language.say('rootMetadata')}</h2>
<ul role="list" aria-labelledby="metadata">${METADATA_PATHS.map((path) => html`<li><a href="${path}"><bdi>${path}</bdi></a></li>`)}</ul>
</footer>`,
  });
  return { ...response, headers: { ...response.headers, 'cache-control': `public, max-age=${MAX_AGE}` } };
}
