/**
 * The words of the pages that people meet, by name: a part of the contract between the constructs (synth time) and
 * the functions (request time). Nothing here runs: constants and types only.
 */

/**
 * Words of the pages. A name in braces is a placeholder, which a page fills in; no other placeholder than those that are named
 * here is filled in. All words are text, not markup.
 *
 * Of each error page `...Title` is the heading, `...Happened` says what has happened, and `...ToDo` what the person can do.
 */
export interface PageWords {
  /** Title of the consent page. `{client}`: what the app calls itself; `{resource}`: the name of the MCP server. */
  readonly consentTitle?: string;
  /** Below the title, where nobody vouches for the app's name. `{client}`. */
  readonly consentUnverified?: string;
  /** Instead, where the app's description was fetched from a host. `{publisher}`: the host. */
  readonly consentPublished?: string;
  /** Instead, where the operators of this server have registered the app. */
  readonly consentByOperators?: string;
  /** Before the place that the authorization code goes to: a host, `thisDevice` or `appOnThisDevice`. */
  readonly consentRedirect?: string;
  /** A redirect URI on a loopback address. `{host}`: with its port. */
  readonly thisDevice?: string;
  /** A redirect URI with a private-use scheme. `{scheme}`: for example `cursor://`. */
  readonly appOnThisDevice?: string;
  /** Before the list of what the app may do. */
  readonly consentScopes?: string;
  /** The scope `openid` in words. */
  readonly scopeOpenid?: string;
  /**
   * Among the scopes, where the MCP server may act for the person at the identity provider. `{resource}`: the name of the MCP server; `{upstream}`: the
   * host of the identity provider.
   */
  readonly actsUpstream?: string;
  /** Among the scopes, where the app gets refresh tokens. */
  readonly staysConnected?: string;
  /** Before the MCP server's resource identifier. */
  readonly consentResource?: string;
  /** Before the host of the identity provider. */
  readonly consentUpstream?: string;
  /** Where the code goes to a program on the person's own device. */
  readonly deviceWarning?: string;
  /** The button that consents. */
  readonly allow?: string;
  /** The button that refuses. */
  readonly cancel?: string;

  /** The app is not registered. */
  readonly unknownClientTitle?: string;
  readonly unknownClientHappened?: string;
  /** How to connect again. */
  readonly unknownClientToDo?: string;

  /** This server does not take the document that describes the app. */
  readonly clientRefusedTitle?: string;
  /** `{reason}`: why, in technical words, in English. */
  readonly clientRefusedHappened?: string;
  readonly clientRefusedToDo?: string;

  /** The document that describes the app cannot be read at the moment. */
  readonly clientUnreadableTitle?: string;
  readonly clientUnreadableHappened?: string;
  readonly clientUnreadableToDo?: string;

  /** The app sent a redirect URI that it has not registered. */
  readonly brokenRedirectTitle?: string;
  readonly brokenRedirectHappened?: string;
  readonly brokenRedirectToDo?: string;

  /** An authorization request that cannot be answered otherwise. */
  readonly badRequestTitle?: string;
  /** `{description}`: the error in technical words, in English. */
  readonly badRequestHappened?: string;
  readonly badRequestToDo?: string;

  /** An authorization request that cannot be answered, of an app that would have the person sent on to a site which nobody vouches for. */
  readonly heldBackTitle?: string;
  /** `{description}`: the error in technical words, in English; `{host}`: of the app's redirect URI. */
  readonly heldBackHappened?: string;
  readonly heldBackToDo?: string;
  /** The link to that site. `{host}`. */
  readonly heldBackReturn?: string;

  /** The sign-in took too long. */
  readonly expiredTitle?: string;
  readonly expiredHappened?: string;
  readonly expiredToDo?: string;

  /** The sign-in was begun in another browser, or this one keeps no cookies. */
  readonly otherBrowserTitle?: string;
  readonly otherBrowserHappened?: string;
  readonly otherBrowserToDo?: string;

  /** The sign-in has been answered before. */
  readonly usedTitle?: string;
  readonly usedHappened?: string;
  readonly usedToDo?: string;

  /** A form that did not come from the page that was shown. */
  readonly forgedTitle?: string;
  readonly forgedHappened?: string;
  readonly forgedToDo?: string;

  /** The identity provider cannot be reached. */
  readonly upstreamDownTitle?: string;
  readonly upstreamDownHappened?: string;
  readonly upstreamDownToDo?: string;
  /** The link back to the consent page. */
  readonly upstreamDownRetry?: string;

  /** The person has signed in and may not use this server. */
  readonly notAllowedTitle?: string;
  /** `{account}`: the e-mail address or name that the identity provider told. */
  readonly notAllowedHappened?: string;
  /** Instead, where the identity provider told neither. */
  readonly notAllowedHappenedUnnamed?: string;
  readonly notAllowedToDo?: string;
  /** The link back to the consent page, to sign in with another account. */
  readonly notAllowedOtherAccount?: string;
  /** The button that ends the sign-in. */
  readonly notAllowedBack?: string;

  /** A part of this server cannot be reached. */
  readonly outageTitle?: string;
  readonly outageHappened?: string;
  readonly outageToDo?: string;

  /** An error that nobody foresaw. */
  readonly failureTitle?: string;
  readonly failureHappened?: string;
  readonly failureToDo?: string;

  /** On every error page. `{reference}`: what the operator finds in the log. */
  readonly reference?: string;
  /** The link to `supportUrl`. */
  readonly support?: string;

  /** Title of the page at the issuer's root, and heading below the server's name where it has one. */
  readonly rootTitle?: string;
  /** What this server is for. */
  readonly rootPurpose?: string;
  /** What a person does who has come here. */
  readonly rootToDo?: string;
  /** Before the links to the metadata documents. */
  readonly rootMetadata?: string;
}

/** Every word's name, with the placeholders that it may have. */
export const PAGE_WORDS: { readonly [word in keyof PageWords]-?: readonly string[] } = {
  consentTitle: ['client', 'resource'],
  consentUnverified: ['client'],
  consentPublished: ['publisher'],
  consentByOperators: [],
  consentRedirect: [],
  thisDevice: ['host'],
  appOnThisDevice: ['scheme'],
  consentScopes: [],
  scopeOpenid: [],
  actsUpstream: ['resource', 'upstream'],
  staysConnected: [],
  consentResource: [],
  consentUpstream: [],
  deviceWarning: [],
  allow: [],
  cancel: [],
  unknownClientTitle: [],
  unknownClientHappened: [],
  unknownClientToDo: [],
  clientRefusedTitle: [],
  clientRefusedHappened: ['reason'],
  clientRefusedToDo: [],
  clientUnreadableTitle: [],
  clientUnreadableHappened: [],
  clientUnreadableToDo: [],
  brokenRedirectTitle: [],
  brokenRedirectHappened: [],
  brokenRedirectToDo: [],
  badRequestTitle: [],
  badRequestHappened: ['description'],
  badRequestToDo: [],
  heldBackTitle: [],
  heldBackHappened: ['description', 'host'],
  heldBackToDo: [],
  heldBackReturn: ['host'],
  expiredTitle: [],
  expiredHappened: [],
  expiredToDo: [],
  otherBrowserTitle: [],
  otherBrowserHappened: [],
  otherBrowserToDo: [],
  usedTitle: [],
  usedHappened: [],
  usedToDo: [],
  forgedTitle: [],
  forgedHappened: [],
  forgedToDo: [],
  upstreamDownTitle: [],
  upstreamDownHappened: [],
  upstreamDownToDo: [],
  upstreamDownRetry: [],
  notAllowedTitle: [],
  notAllowedHappened: ['account'],
  notAllowedHappenedUnnamed: [],
  notAllowedToDo: [],
  notAllowedOtherAccount: [],
  notAllowedBack: [],
  outageTitle: [],
  outageHappened: [],
  outageToDo: [],
  failureTitle: [],
  failureHappened: [],
  failureToDo: [],
  reference: ['reference'],
  support: [],
  rootTitle: [],
  rootPurpose: [],
  rootToDo: [],
  rootMetadata: [],
};

/** The languages that the pages speak by themselves (BCP 47). The first is for everyone who asks for none of them. */
export const PAGE_LANGUAGES = ['en', 'de', 'fr'] as const;
