import type { ScopeRecord } from '../../../lib/contract';
import type { HttpResponse } from '../http';
import { describeRedirect, type RedirectDescription } from '../redirect-uri';
import { bdi, type Html, html } from './html';
import type { Language } from './languages';
import { page } from './layout';
import type { Presentation } from './presentation';

export interface ConsentRequest {
  /** Where the form is sent. */
  readonly action: string;
  readonly formToken: string;
  /** Asks upstream for another account than the one that is signed in there. */
  readonly otherAccount: boolean;
  /** The client's own word for itself. */
  readonly clientName: string;
  /** The host that the client's metadata document came from; absent where there is none. */
  readonly publisher?: string;
  /** The operators of this server have registered the client. */
  readonly byOperators: boolean;
  readonly redirectUri: string;
  readonly resource: { readonly name: string; readonly identifier: string };
  /** Scopes of the resource. */
  readonly scopes: readonly ScopeRecord[];
  /** Whether the client learns who the person is: the scope `openid`. */
  readonly identifies: boolean;
  /** Whether the client gets refresh tokens. */
  readonly staysConnected: boolean;
  /** Whether the MCP server may act for the person at the identity provider. */
  readonly actsUpstream: boolean;
  /** The identity provider that comes next. */
  readonly upstream: { readonly host: string; readonly origin: string };
}

/** Who asks, where the code goes, for what: asked before anything goes upstream, for every authorization. */
export function consentPage(presentation: Presentation, request: ConsentRequest): HttpResponse {
  const { language } = presentation;
  const { clientName: client, resource, scopes, upstream } = request;
  const redirect = describeRedirect(request.redirectUri);
  const names = { client, resource: resource.name };
  return page(presentation, {
    status: 200,
    title: language.sayPlainly('consentTitle', names),
    formAction: ["'self'", 'https:', redirect.cspSource, upstream.origin],
    main: html`<h1>${language.say('consentTitle', names)}</h1>
<p class="quiet">${originOf(request, language)}</p>
<dl>
<div><dt>${language.say('consentRedirect')}</dt><dd class="target">${targetOf(redirect, language)}</dd></div>
<div><dt>${language.say('consentResource')}</dt><dd>${bdi(resource.identifier)}</dd></div>
<div><dt>${language.say('consentUpstream')}</dt><dd>${bdi(upstream.host)}</dd></div>
</dl>
<h2 id="scopes">${language.say('consentScopes')}</h2>
<ul class="scopes" role="list" aria-labelledby="scopes">${[
      ...scopes.map((scope) => scopeItem(scope.name, bdi(language.pick(scope.descriptions) ?? scope.description))),
      request.identifies ? scopeItem('openid', language.say('scopeOpenid')) : undefined,
      request.actsUpstream
        ? html`<li>${language.say('actsUpstream', { resource: resource.name, upstream: upstream.host })}</li>`
        : undefined,
      request.staysConnected ? html`<li>${language.say('staysConnected')}</li>` : undefined,
    ]}</ul>
${redirect.kind === 'web' ? undefined : html`<p class="warning">${language.say('deviceWarning')}</p>`}
<form method="post" action="${request.action}">
<input type="hidden" name="token" value="${request.formToken}">
${request.otherAccount ? html`<input type="hidden" name="account" value="other">` : undefined}
<button class="primary" type="submit" name="decision" value="allow">${language.say('allow')}</button>
<button type="submit" name="decision" value="deny">${language.say('cancel')}</button>
</form>`,
  });
}

/** Who vouches for the client, if anybody does. */
function originOf({ clientName: client, publisher, byOperators }: ConsentRequest, language: Language): Html {
  if (byOperators) return language.say('consentByOperators');
  return publisher === undefined
    ? language.say('consentUnverified', { client })
    : language.say('consentPublished', { publisher });
}

function scopeItem(name: string, words: Html): Html {
  return html`<li>${words}<code>${name}</code></li>`;
}

function targetOf({ kind, name }: RedirectDescription, language: Language): Html {
  if (kind === 'web') return bdi(name);
  return kind === 'loopback'
    ? language.say('thisDevice', { host: name })
    : language.say('appOnThisDevice', { scheme: name });
}
