import { isIP } from 'node:net';
import type { RegistrationConfig } from './contract';
import { checkList, checkWholeNumber, type Refuse } from './refusal';

/** Schemes that a browser acts on itself, or that are no app's own. */
const NOT_PRIVATE = [
  'http',
  'https',
  'javascript',
  'data',
  'vbscript',
  'blob',
  'file',
  'about',
  'filesystem',
  'ws',
  'wss',
  'ftp',
];

/** Refuses limits that let nobody in, ranges that are none, and schemes that are dangerous. */
export function checkRegistration(refuse: Refuse, given: Partial<RegistrationConfig>): void {
  const { perAddress, inAll, sharedEgress, privateUseSchemes } = given;
  for (const [name, limit] of Object.entries({ perAddress, inAll })) {
    if (limit !== undefined) checkWholeNumber(refuse, `registration.${name}`, limit, { atLeast: 1 });
  }
  const ranges = "CIDR ranges, for example '192.0.2.0/24'";
  checkList(refuse, 'registration.sharedEgress', sharedEgress, isRange, ranges);
  const schemes = 'schemes of apps in lower case, without a colon';
  checkList(refuse, 'registration.privateUseSchemes', privateUseSchemes, isSchemeOfApps, schemes);
}

/** Where nothing else is said. Claude connects from the range that many people share. */
const DEFAULTS: RegistrationConfig = {
  perAddress: 20,
  inAll: 1000,
  sharedEgress: ['160.79.104.0/21'],
};

/** What is given, and the defaults of the rest. */
export function completeRegistration(given: Partial<RegistrationConfig>): RegistrationConfig {
  const {
    perAddress = DEFAULTS.perAddress,
    inAll = DEFAULTS.inAll,
    sharedEgress = DEFAULTS.sharedEgress,
    privateUseSchemes,
  } = given;
  return { perAddress, inAll, sharedEgress, ...(privateUseSchemes ? { privateUseSchemes } : {}) };
}

function isRange(given: unknown): boolean {
  const [, address = '', bits] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(String(given)) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
}

function isSchemeOfApps(given: unknown): boolean {
  return typeof given === 'string' && /^[a-z][a-z0-9+.-]*$/.test(given) && !NOT_PRIVATE.includes(given);
}
