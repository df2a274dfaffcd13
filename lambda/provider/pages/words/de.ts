import type { PageWords } from '../../../../lib/page-words';

export const de: Required<PageWords> = {
  consentTitle: '{client} mit {resource} verbinden?',
  consentUnverified: '„{client}“ nennt sich diese App selbst. Niemand hat den Namen geprüft.',
  consentPublished: 'Die Angaben zu dieser App stammen von {publisher}.',
  consentByOperators: 'Diese App haben die Betreiber dieses Servers registriert.',
  consentRedirect: 'Den Zugang erhält',
  thisDevice: '{host} (dieses Gerät)',
  appOnThisDevice: 'die App auf diesem Gerät, die Links mit {scheme} öffnet',
  consentScopes: 'Wenn Sie fortfahren, kann die App:',
  scopeOpenid: 'Sie wiedererkennen, wenn Sie zurückkommen',
  actsUpstream: '{resource} bei {upstream} für Sie handeln lassen',
  staysConnected: 'Den Zugang behalten, während Sie ihn nicht benutzen',
  consentResource: 'Der Zugang gilt für',
  consentUpstream: 'Sie melden sich an bei',
  deviceWarning:
    'Den Zugang erhält ein Programm auf dem Gerät, das Sie gerade benutzen. Fahren Sie nur fort, wenn Sie dies eben selbst angestoßen haben, in einer App, der Sie vertrauen.',
  allow: 'Fortfahren und anmelden',
  cancel: 'Abbrechen',

  unknownClientTitle: 'Diese App ist hier nicht bekannt',
  unknownClientHappened: 'Die App, von der Sie kommen, ist nicht registriert, oder ihre Registrierung ist abgelaufen.',
  unknownClientToDo:
    'Entfernen Sie diesen Server in der App (oder löschen Sie dort die Anmeldung) und verbinden Sie ihn erneut. Die App registriert sich dann neu; die meisten Apps tun das von selbst.',

  clientRefusedTitle: 'Die Beschreibung der App ist nicht verwendbar',
  clientRefusedHappened:
    'Die App wird durch ein Dokument auf der Website ihrer Hersteller beschrieben, und dieser Server nimmt es nicht an: {reason}.',
  clientRefusedToDo: 'Teilen Sie den Herstellern der App mit, was auf dieser Seite steht.',

  clientUnreadableTitle: 'Die Beschreibung der App ist nicht erreichbar',
  clientUnreadableHappened:
    'Die App wird durch ein Dokument auf der Website ihrer Hersteller beschrieben, die gerade nicht antwortet. Es wurde nichts erlaubt, und nichts ist verloren.',
  clientUnreadableToDo: 'Warten Sie einen Augenblick und versuchen Sie es aus der App heraus noch einmal.',

  brokenRedirectTitle: 'Die App hat eine fremde Adresse genannt',
  brokenRedirectHappened:
    'Die App wollte Sie an eine Adresse zurückschicken lassen, die sie nicht registriert hat. Zu Ihrem Schutz wurde niemand dorthin geschickt und nichts erlaubt.',
  brokenRedirectToDo:
    'Wenn Sie einem fremden Link gefolgt sind, schließen Sie diese Seite. Andernfalls entfernen Sie diesen Server in der App und verbinden ihn erneut, damit die App ihre Adresse registriert.',

  badRequestTitle: 'Die App hat um etwas Unmögliches gebeten',
  badRequestHappened: 'Die Anfrage der App lässt sich nicht beantworten: {description}.',
  badRequestToDo:
    'Versuchen Sie es aus der App heraus noch einmal. Wenn es wieder geschieht, teilen Sie den Herstellern der App mit, was hier steht.',

  heldBackTitle: 'Die Anfrage der App wurde abgelehnt',
  heldBackHappened:
    'Die Anfrage lässt sich nicht beantworten: {description}. Es wurde nichts erlaubt. Die App wollte Sie zu {host} weiterleiten lassen, und niemand hat geprüft, wessen Website das ist.',
  heldBackToDo:
    'Wenn Sie dies eben selbst angestoßen haben, in einer App, der Sie vertrauen, gehen Sie dorthin zurück. Wenn Sie einem fremden Link gefolgt sind, schließen Sie diese Seite.',
  heldBackReturn: 'Zurück zu {host}',

  expiredTitle: 'Diese Anmeldung ist abgelaufen',
  expiredHappened: 'Sie hat zu lange gedauert oder ist bereits abgeschlossen.',
  expiredToDo: 'Gehen Sie zurück zu Ihrer App und stellen Sie die Verbindung dort neu her.',

  otherBrowserTitle: 'Diese Anmeldung gehört zu einem anderen Browser',
  otherBrowserHappened:
    'Eine Anmeldung muss in dem Browser enden, in dem sie begonnen hat. Dieser Browser hat sie nicht begonnen, hat sie schon abgeschlossen oder speichert keine Cookies.',
  otherBrowserToDo:
    'Wenn Ihnen jemand diesen Link geschickt hat, schließen Sie die Seite: Vielleicht hat es diese Person auf Ihren Zugang abgesehen. Andernfalls erlauben Sie Cookies für diese Website, gehen zurück zu Ihrer App und stellen die Verbindung dort neu her.',

  usedTitle: 'Diese Anmeldung wurde bereits benutzt',
  usedHappened: 'Jede Anmeldung gilt nur einmal, und diese wurde schon beantwortet.',
  usedToDo: 'Wenn Ihre App nicht verbunden ist, gehen Sie dorthin zurück und stellen Sie die Verbindung neu her.',

  forgedTitle: 'Das Formular kam nicht von unserer Seite',
  forgedHappened: 'Was ankam, passt nicht zu der Seite, die gezeigt wurde. Deshalb wurde nichts erlaubt.',
  forgedToDo: 'Gehen Sie zurück zu Ihrer App und stellen Sie die Verbindung dort neu her.',

  upstreamDownTitle: 'Der Anmeldedienst antwortet nicht',
  upstreamDownHappened:
    'Die Seite, auf der Sie sich anmelden, ist gerade nicht erreichbar. Es wurde nichts erlaubt, und nichts ist verloren.',
  upstreamDownToDo: 'Warten Sie einen Augenblick und versuchen Sie es noch einmal.',
  upstreamDownRetry: 'Noch einmal versuchen',

  notAllowedTitle: 'Dieses Konto hat hier keinen Zugang',
  notAllowedHappened: 'Sie haben sich als {account} angemeldet. Dieses Konto darf diesen Server nicht benutzen.',
  notAllowedHappenedUnnamed: 'Das Konto, mit dem Sie sich angemeldet haben, darf diesen Server nicht benutzen.',
  notAllowedToDo:
    'Wenn Sie ein anderes Konto haben, das Zugang hat, nehmen Sie dieses. Wenn Sie Zugang haben sollten, wenden Sie sich an die Betreiber dieses Servers und nennen Sie ihnen die Referenz, die unten steht.',
  notAllowedOtherAccount: 'Anderes Konto verwenden',
  notAllowedBack: 'Zurück zur App',

  outageTitle: 'Dieser Server hat gerade ein Problem',
  outageHappened:
    'Ihre Anfrage konnte im Augenblick nicht beantwortet werden. Es wurde nichts erlaubt, und nichts ist verloren.',
  outageToDo: 'Warten Sie einen Augenblick und versuchen Sie es noch einmal.',

  failureTitle: 'Hier ist etwas schiefgegangen',
  failureHappened:
    'Bei Ihrer Anfrage ist ein Fehler aufgetreten, den niemand vorhergesehen hat. Es wurde nichts erlaubt.',
  failureToDo:
    'Gehen Sie zurück zu Ihrer App und stellen Sie die Verbindung dort neu her. Wenn es wieder geschieht, nennen Sie den Betreibern dieses Servers die Referenz, die unten steht.',

  reference: 'Referenz: {reference}',
  support: 'Hilfe erhalten',

  rootTitle: 'Anmeldung für MCP-Server',
  rootPurpose:
    'Über diesen Server melden sich Menschen mit dem Konto, das sie schon haben, bei MCP-Servern an (Model Context Protocol) und entscheiden, welche Apps Zugang erhalten.',
  rootToDo:
    'Auf dieser Seite selbst gibt es nichts zu tun. Tragen Sie die Adresse Ihres MCP-Servers in Ihrer App ein und stellen Sie dort die Verbindung her: Die App führt Sie hierher, sobald eine Anmeldung nötig ist.',
  rootMetadata: 'Für Programme',
};
