import { randomInt } from 'node:crypto';
import { AwsError } from './aws-error';

const UPPERCASE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const NUMBERS = '0123456789';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** The parameters of GetRandomPassword, and of GenerateSecretString in CloudFormation. */
export interface RandomPasswordOptions {
  readonly PasswordLength?: number;
  readonly ExcludeCharacters?: string;
  readonly ExcludeNumbers?: boolean;
  readonly ExcludePunctuation?: boolean;
  readonly ExcludeUppercase?: boolean;
  readonly ExcludeLowercase?: boolean;
  readonly IncludeSpace?: boolean;
  readonly RequireEachIncludedType?: boolean;
}

/**
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
 * @throws AwsError InvalidParameterException where no such password exists
 */
export function randomPassword(options: RandomPasswordOptions): string {
  const { PasswordLength: length = 32, RequireEachIncludedType: requireEach = true } = options;
  const types = [
    options.ExcludeUppercase ? '' : UPPERCASE,
    options.ExcludeLowercase ? '' : UPPERCASE.toLowerCase(),
    options.ExcludeNumbers ? '' : NUMBERS,
    options.ExcludePunctuation ? '' : PUNCTUATION,
    options.IncludeSpace ? ' ' : '',
  ]
    .map((type) => [...type].filter((character) => !options.ExcludeCharacters?.includes(character)))
    .filter((type) => type.length > 0);
  const required = requireEach ? types.map(pick) : [];
  if (!Number.isInteger(length) || length < Math.max(1, required.length) || length > 4096 || types.length === 0) {
    throw new AwsError(
      'InvalidParameterException',
      `There is no password of ${length} characters with the character types that are asked for.`,
    );
  }
  const all = types.flat();
  return shuffle([...required, ...Array.from({ length: length - required.length }, () => pick(all))]).join('');
}

function pick(characters: readonly string[]): string {
  return characters[randomInt(characters.length)]!;
}

/** Fisher and Yates. */
function shuffle(characters: string[]): string[] {
  for (let i = characters.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [characters[i], characters[j]] = [characters[j]!, characters[i]!];
  }
  return characters;
}
