import type { Json, JsonObject } from '../json';
import { StartError } from '../start-error';

/** @throws StartError where a property has a value whose effect is not imitated here */
export function requireValue(properties: JsonObject, name: string, ...known: (Json | undefined)[]): void {
  const value = properties[name];
  if (known.includes(value)) return;
  const choice = known.map((item) => (item === undefined ? 'nothing' : JSON.stringify(item))).join(' or ');
  throw new StartError(
    `${name} is ${value === undefined ? 'absent' : JSON.stringify(value)}; known here is ${choice}.`,
  );
}
