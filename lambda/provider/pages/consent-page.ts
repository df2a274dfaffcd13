import type { ScopeRecord } from '../../../lib/contract';
import type { HttpResponse } from '../http';
import { describeRedirect } from '../redirect-uri';
import { html } from './html';
import { page } from './layout';

export interface ConsentRequest {
  /** Where the form is sent. */
  readonly action: string;
  readonly formToken: string;
  /** The client's own word for itself. */
  readonly clientName: string;
  readonly redirectUri: string;
  readonly resource: { readonly name: string; readonly identifier: string };
  readonly scopes: readonly ScopeRecord[];
  /** The identity provider that comes next. */
  readonly upstream: { readonly host: string; readonly origin: string };
}

/** Who asks, where the code goes, for what: asked before anything goes upstream, for every authorization. */
export function consentPage(request: ConsentRequest): HttpResponse {
  const { clientName, redirectUri, resource, scopes, upstream } = request;
  const redirect = describeRedirect(redirectUri);
  const title = `Connect ${clientName} to ${resource.name}?`;
  return page(
    200,
    title,
    html`<h1>${title}</h1>
<p class="quiet">“${clientName}” is the name that the app gives itself. Nobody has verified it.</p>
<h2>If you continue, the app can:</h2>
<ul>${scopes.map(({ name, description }) => html`<li>${description}<code>${name}</code></li>`)}</ul>
<dl>
<div><dt>It gets access to</dt><dd>${resource.identifier}</dd></div>
<div><dt>You are sent back to</dt><dd>${redirect.target}</dd></div>
<div><dt>You sign in at</dt><dd>${upstream.host}</dd></div>
</dl>
${redirect.onThisDevice ? html`<p class="warning">Access goes to a program on the device that you are using now. Continue only if you have just started this yourself, in an app that you trust.</p>` : undefined}
<form method="post" action="${request.action}">
<input type="hidden" name="token" value="${request.formToken}">
<button class="primary" type="submit" name="decision" value="allow">Continue and sign in</button>
<button type="submit" name="decision" value="deny">Cancel</button>
</form>`,
    ["'self'", 'https:', redirect.cspSource, upstream.origin],
  );
}
