import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPEARANCE_FILE, type Appearance } from '../../lib/page-appearance';

/**
 * How the pages look and speak, as the operator has said at synth.
 *
 * @param directory of the bundle
 * @returns nothing where the operator has said nothing
 * @throws where the file is there and cannot be read
 */
export function readAppearance(directory: string): Appearance | undefined {
  let text: string;
  try {
    text = readFileSync(join(directory, APPEARANCE_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text);
}
