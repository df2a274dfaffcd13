import type { PageWords } from '../../../../lib/page-words';

export const en: Required<PageWords> = {
  consentTitle: 'Connect {client} to {resource}?',
  consentUnverified: '“{client}” is the name that this app gives itself. Nobody has verified it.',
  consentPublished: 'The description of this app comes from {publisher}.',
  consentByOperators: 'This app was registered by the people who run this server.',
  consentRedirect: 'Access goes to',
  thisDevice: '{host} (this device)',
  appOnThisDevice: 'the app on this device that opens {scheme} links',
  consentScopes: 'If you continue, the app can:',
  scopeOpenid: 'Recognize you when you come back',
  actsUpstream: 'Have {resource} act for you at {upstream}',
  staysConnected: 'Keep this access while you are not using it',
  consentResource: 'It is given access to',
  consentUpstream: 'You sign in at',
  deviceWarning:
    'Access goes to a program on the device that you are using now. Continue only if you have just started this yourself, in an app that you trust.',
  allow: 'Continue and sign in',
  cancel: 'Cancel',

  unknownClientTitle: 'This app is not known here',
  unknownClientHappened: 'The app that sent you here is not registered, or its registration has expired.',
  unknownClientToDo:
    'In the app, remove this server (or clear its sign-in) and connect again. The app then registers anew; most apps do that by themselves.',

  clientRefusedTitle: 'The app’s description cannot be used',
  clientRefusedHappened:
    'The app is described by a document on the site of its makers, and this server does not take it: {reason}.',
  clientRefusedToDo: 'Tell the makers of the app what this page says.',

  clientUnreadableTitle: 'The app’s description cannot be read',
  clientUnreadableHappened:
    'The app is described by a document on the site of its makers, which does not answer at the moment. Nothing was allowed, and nothing is lost.',
  clientUnreadableToDo: 'Wait a moment and try again from the app.',

  brokenRedirectTitle: 'The app named an address that is not its own',
  brokenRedirectHappened:
    'The app asked us to send you back to an address that it has not registered. To protect you, nobody was sent there and nothing was allowed.',
  brokenRedirectToDo:
    'If you followed a link from someone else, close this page. Otherwise, remove this server from the app and connect again, so that the app registers its address.',

  badRequestTitle: 'The app asked for something impossible',
  badRequestHappened: 'The request that the app made cannot be answered: {description}.',
  badRequestToDo: 'Try again from the app. If it happens again, tell the makers of the app what this page says.',

  heldBackTitle: 'The app’s request was refused',
  heldBackHappened:
    'The request cannot be answered: {description}. Nothing was allowed. The app would have you sent on to {host}, and nobody has verified whose site that is.',
  heldBackToDo:
    'If you have just started this yourself, in an app that you trust, go back to it. If you followed a link from someone else, close this page.',
  heldBackReturn: 'Go back to {host}',

  expiredTitle: 'This sign-in has expired',
  expiredHappened: 'It took too long, or it has been finished already.',
  expiredToDo: 'Go back to your app and connect again.',

  otherBrowserTitle: 'This sign-in belongs to another browser',
  otherBrowserHappened:
    'A sign-in must end in the browser in which it began. This browser did not begin it, has finished it already, or does not keep cookies.',
  otherBrowserToDo:
    'If someone sent you this link, close the page: they may be after your access. Otherwise, allow cookies for this site, then go back to your app and connect again.',

  usedTitle: 'This sign-in was already used',
  usedHappened: 'Each sign-in works once, and this one has been answered before.',
  usedToDo: 'If your app is not connected, go back to it and connect again.',

  forgedTitle: 'The form was not sent from our page',
  forgedHappened: 'What arrived does not match the page that was shown, so nothing was allowed.',
  forgedToDo: 'Go back to your app and connect again.',

  upstreamDownTitle: 'The identity provider does not answer',
  upstreamDownHappened:
    'The page where you sign in cannot be reached at the moment. Nothing was allowed, and nothing is lost.',
  upstreamDownToDo: 'Wait a moment and try again.',
  upstreamDownRetry: 'Try again',

  notAllowedTitle: 'This account may not sign in here',
  notAllowedHappened: 'You signed in as {account}. This account has no access to this server.',
  notAllowedHappenedUnnamed: 'The account that you signed in with has no access to this server.',
  notAllowedToDo:
    'If you have another account that does, use that one. If you should have access, ask the people who run this server, and tell them the reference below.',
  notAllowedOtherAccount: 'Use another account',
  notAllowedBack: 'Back to the app',

  outageTitle: 'This server is having a problem',
  outageHappened: 'Your request could not be answered at the moment. Nothing was allowed, and nothing is lost.',
  outageToDo: 'Wait a moment and try again.',

  failureTitle: 'Something went wrong here',
  failureHappened: 'Your request met an error that nobody foresaw. Nothing was allowed.',
  failureToDo:
    'Go back to your app and connect again. If it happens again, tell the people who run this server the reference below.',

  reference: 'Reference: {reference}',
  support: 'Get help',

  rootTitle: 'Sign-in for MCP servers',
  rootPurpose:
    'This server lets people sign in to MCP servers (Model Context Protocol) with the account that they already have, and decide which apps get access.',
  rootToDo:
    'There is nothing to sign in to on this page. Add the address of your MCP server to your app and connect: the app brings you here when it is time to sign in.',
  rootMetadata: 'For programs',
};
