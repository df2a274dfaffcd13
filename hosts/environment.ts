import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { described } from '../lib/refusal';
import { SettingsError } from './settings';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings of this process: its environment, which goes before a file.
 *
 * @param file that has to be there; `.env`, where there is one, if absent
 * @throws SettingsError where there is no such file
 */
export function environmentOf(file?: string): Environment {
  if (file !== undefined && !existsSync(file)) {
    throw new SettingsError([{ setting: '--env-file', given: described(file), needed: 'a file that exists' }]);
  }
  const path = file ?? '.env';
  // An empty variable is none: some who run containers cannot take one away.
  const given = Object.entries(process.env).filter(([, value]) => value !== '');
  return { ...(existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {}), ...Object.fromEntries(given) };
}
