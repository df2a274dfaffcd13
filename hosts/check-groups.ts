import { checkAppearance, LARGEST_LOGO, logoType } from '../lib/appearance-rules';
import { checkClientMetadata } from '../lib/client-metadata-rules';
import { LIFETIME_BOUNDS } from '../lib/lifetime-rules';
import { checkWholeNumber, described, isObject } from '../lib/refusal';
import { checkRegistration } from '../lib/registration-rules';
import { checkKnown, type Place } from './known-options';
import type { AppearanceOption, HostOptions, LifetimeOptions } from './options';
import type { Settings } from './settings';

/** Notes what is wrong in the options that are objects of options. */
export function checkGroups(settings: Settings, options: Partial<HostOptions>): void {
  const { lifetimes, registration, clientMetadata, appearance } = options;
  if (isGroup(settings, 'lifetimes', lifetimes)) checkLifetimes(settings, lifetimes);
  if (isGroup(settings, 'registration', registration)) checkRegistration(settings.refuse, registration);
  if (isGroup(settings, 'clientMetadata', clientMetadata)) checkClientMetadata(settings.refuse, clientMetadata);
  if (isGroup(settings, 'appearance', appearance)) checkLooks(settings, appearance);
}

/** Whether it is given and an object, whose unknown members are noted. */
export function isGroup<Group>(
  settings: Settings,
  place: Place,
  given: Group | undefined,
  option: string = place,
): given is Group {
  if (given === undefined) return false;
  if (isObject(given)) checkKnown(settings, place, `${option}.`, given);
  else settings.refuse(option, described(given), 'an object');
  return isObject(given);
}

function checkLifetimes({ refuse }: Settings, lifetimes: LifetimeOptions): void {
  for (const [name, seconds] of Object.entries(lifetimes)) {
    const bounds = LIFETIME_BOUNDS[name as keyof LifetimeOptions];
    if (seconds !== undefined && bounds) checkWholeNumber(refuse, `lifetimes.${name}`, seconds, bounds);
  }
}

function checkLooks(settings: Settings, { colors, words, logo, ...others }: AppearanceOption): void {
  const { refuse } = settings;
  const areColors = isGroup(settings, 'colors', colors, 'appearance.colors');
  const areWords = isObject(words) && Object.values(words).every(isObject);
  if (words !== undefined && !areWords)
    refuse('appearance.words', described(words), "words by language, such as { de: { allow: 'Weiter' } }");
  if (logo !== undefined && !isLogo(logo)) {
    const kib = LARGEST_LOGO / 1024;
    // A whole picture says nothing to people.
    const given = typeof logo === 'string' ? described(logo.slice(0, 40)) : described(logo);
    refuse('appearance.logo', given, `a data: URI of a PNG or SVG image in base64, of at most ${kib} KiB`);
  }
  checkAppearance(refuse, {
    ...others,
    logo,
    ...(areColors ? { colors } : {}),
    ...(areWords ? { words } : {}),
  });
}

/** It goes into the pages as it is. */
function isLogo(given: unknown): boolean {
  const [, type, base64 = ''] =
    /^data:(image\/(?:png|svg\+xml));base64,([A-Za-z0-9+/]+={0,2})$/.exec(String(given)) ?? [];
  const content = Buffer.from(base64, 'base64');
  return content.length <= LARGEST_LOGO && type !== undefined && logoType(content) === type;
}
