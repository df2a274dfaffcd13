import type { PageWords } from '../../../../lib/page-words';

export const fr: Required<PageWords> = {
  consentTitle: 'Connecter {client} à {resource}\u202f?',
  consentUnverified: '«\u00a0{client}\u00a0» est le nom que cette application se donne. Personne ne l’a vérifié.',
  consentPublished: 'La description de cette application provient de {publisher}.',
  consentByOperators: 'Cette application a été enregistrée par les responsables de ce serveur.',
  consentRedirect: 'L’accès est remis à',
  thisDevice: '{host} (cet appareil)',
  appOnThisDevice: 'l’application de cet appareil qui ouvre les liens {scheme}',
  consentScopes: 'Si vous continuez, l’application pourra\u00a0:',
  scopeOpenid: 'Vous reconnaître à votre retour',
  actsUpstream: 'Faire agir {resource} en votre nom auprès de {upstream}',
  staysConnected: 'Conserver cet accès lorsque vous ne l’utilisez pas',
  consentResource: 'L’accès porte sur',
  consentUpstream: 'Vous vous connectez auprès de',
  deviceWarning:
    'L’accès sera remis à un programme de l’appareil que vous utilisez en ce moment. Ne continuez que si vous venez de lancer vous-même cette opération, depuis une application à laquelle vous faites confiance.',
  allow: 'Continuer et se connecter',
  cancel: 'Annuler',

  unknownClientTitle: 'Cette application n’est pas connue ici',
  unknownClientHappened: 'L’application d’où vous venez n’est pas enregistrée, ou son enregistrement a expiré.',
  unknownClientToDo:
    'Dans l’application, supprimez ce serveur (ou effacez sa connexion), puis connectez-le de nouveau. L’application s’enregistre alors à nouveau\u202f; la plupart le font d’elles-mêmes.',

  clientRefusedTitle: 'La description de l’application est inutilisable',
  clientRefusedHappened:
    'L’application est décrite par un document publié sur le site de ses auteurs, et ce serveur ne l’accepte pas\u00a0: {reason}.',
  clientRefusedToDo: 'Indiquez aux auteurs de l’application ce que dit cette page.',

  clientUnreadableTitle: 'La description de l’application est inaccessible',
  clientUnreadableHappened:
    'L’application est décrite par un document publié sur le site de ses auteurs, qui ne répond pas pour le moment. Rien n’a été autorisé, et rien n’est perdu.',
  clientUnreadableToDo: 'Patientez un instant, puis réessayez depuis l’application.',

  brokenRedirectTitle: 'L’application a indiqué une adresse qui n’est pas la sienne',
  brokenRedirectHappened:
    'L’application a demandé de vous renvoyer vers une adresse qu’elle n’a pas enregistrée. Pour vous protéger, personne n’y a été envoyé et rien n’a été autorisé.',
  brokenRedirectToDo:
    'Si vous avez suivi un lien qu’on vous a transmis, fermez cette page. Sinon, supprimez ce serveur de l’application et connectez-le de nouveau, afin que l’application enregistre son adresse.',

  badRequestTitle: 'L’application a demandé quelque chose d’impossible',
  badRequestHappened: 'Il est impossible de répondre à la demande de l’application\u00a0: {description}.',
  badRequestToDo: 'Réessayez depuis l’application. Si cela se reproduit, indiquez à ses auteurs ce que dit cette page.',

  heldBackTitle: 'La demande de l’application a été refusée',
  heldBackHappened:
    'Il est impossible de répondre à cette demande\u00a0: {description}. Rien n’a été autorisé. L’application voulait vous faire renvoyer vers {host}, et personne n’a vérifié à qui appartient ce site.',
  heldBackToDo:
    'Si vous venez de lancer vous-même cette opération, depuis une application à laquelle vous faites confiance, revenez-y. Si vous avez suivi un lien qu’on vous a transmis, fermez cette page.',
  heldBackReturn: 'Revenir à {host}',

  expiredTitle: 'Cette connexion a expiré',
  expiredHappened: 'Elle a duré trop longtemps, ou elle est déjà terminée.',
  expiredToDo: 'Revenez à votre application et connectez-vous de nouveau.',

  otherBrowserTitle: 'Cette connexion appartient à un autre navigateur',
  otherBrowserHappened:
    'Une connexion doit se terminer dans le navigateur où elle a commencé. Elle n’a pas commencé dans celui-ci, elle y est déjà terminée, ou il ne conserve pas les cookies.',
  otherBrowserToDo:
    'Si quelqu’un vous a envoyé ce lien, fermez la page\u00a0: cette personne cherche peut-être à obtenir votre accès. Sinon, autorisez les cookies pour ce site, puis revenez à votre application et connectez-vous de nouveau.',

  usedTitle: 'Cette connexion a déjà servi',
  usedHappened: 'Chaque connexion ne sert qu’une fois, et celle-ci a déjà reçu une réponse.',
  usedToDo: 'Si votre application n’est pas connectée, revenez-y et connectez-vous de nouveau.',

  forgedTitle: 'Le formulaire n’a pas été envoyé depuis notre page',
  forgedHappened: 'Ce qui est arrivé ne correspond pas à la page affichée\u202f; rien n’a donc été autorisé.',
  forgedToDo: 'Revenez à votre application et connectez-vous de nouveau.',

  upstreamDownTitle: 'Le fournisseur d’identité ne répond pas',
  upstreamDownHappened:
    'La page où vous vous connectez est inaccessible pour le moment. Rien n’a été autorisé, et rien n’est perdu.',
  upstreamDownToDo: 'Patientez un instant, puis réessayez.',
  upstreamDownRetry: 'Réessayer',

  notAllowedTitle: 'Ce compte n’a pas accès à ce serveur',
  notAllowedHappened:
    'Votre connexion s’est faite avec le compte {account}, qui n’est pas autorisé à utiliser ce serveur.',
  notAllowedHappenedUnnamed: 'Votre connexion s’est faite avec un compte qui n’est pas autorisé à utiliser ce serveur.',
  notAllowedToDo:
    'Si vous disposez d’un autre compte qui y a accès, utilisez-le. Si vous devriez avoir accès, adressez-vous aux responsables de ce serveur et communiquez-leur la référence ci-dessous.',
  notAllowedOtherAccount: 'Utiliser un autre compte',
  notAllowedBack: 'Revenir à l’application',

  outageTitle: 'Ce serveur rencontre un problème',
  outageHappened:
    'Il n’a pas été possible de répondre à votre demande pour le moment. Rien n’a été autorisé, et rien n’est perdu.',
  outageToDo: 'Patientez un instant, puis réessayez.',

  failureTitle: 'Un problème est survenu ici',
  failureHappened: 'Votre demande a rencontré une erreur que personne n’avait prévue. Rien n’a été autorisé.',
  failureToDo:
    'Revenez à votre application et connectez-vous de nouveau. Si cela se reproduit, communiquez la référence ci-dessous aux responsables de ce serveur.',

  reference: 'Référence\u00a0: {reference}',
  support: 'Obtenir de l’aide',

  rootTitle: 'Connexion aux serveurs MCP',
  rootPurpose:
    'Ce serveur permet à chacun de se connecter à des serveurs MCP (Model Context Protocol) avec le compte dont il dispose déjà, et de décider quelles applications y ont accès.',
  rootToDo:
    'Il n’y a rien à faire sur cette page. Ajoutez l’adresse de votre serveur MCP dans votre application et connectez-vous\u00a0: elle vous amènera ici quand il faudra vous identifier.',
  rootMetadata: 'Pour les programmes',
};
