/**
 * How a rule says that an option does not hold: the rules about options are the same for the constructs, which end synthesis with the first
 * refusal, and for the hosts, which collect them. What is imported by a rule is no construct.
 *
 * @param option its name
 * @param given in words
 * @param needed in words that can stand after "must be"
 */
export type Refuse = (option: string, given: string, needed: string) => void;

/** What was given, in words. TypeScript keeps most of it out, JavaScript does not. */
export function described(given: unknown): string {
  if (given === undefined || given === '') return 'nothing';
  if (typeof given === 'string') return `'${given}'`;
  if (Array.isArray(given)) return `a list of ${given.length}`;
  if (typeof given === 'function') return 'a function';
  return typeof given === 'object' && given !== null ? 'an object' : String(given);
}

export function isObject(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

export function isText(given: unknown): given is string {
  return typeof given === 'string' && given.trim() !== '';
}

/** What may be absent, and else is a list whose members are right: a text in its place would be taken letter by letter. */
export function checkList(
  refuse: Refuse,
  option: string,
  given: unknown,
  isRight: (member: unknown) => boolean = () => true,
  needed = '',
): void {
  if (given === undefined) return;
  if (!Array.isArray(given)) refuse(option, described(given), 'a list');
  for (const member of Array.isArray(given) ? given : [])
    if (!isRight(member)) refuse(option, described(member), needed);
}

export function checkWholeNumber(
  refuse: Refuse,
  option: string,
  given: unknown,
  { atLeast, atMost = Number.MAX_SAFE_INTEGER }: { readonly atLeast: number; readonly atMost?: number },
): void {
  if (Number.isInteger(given) && Number(given) >= atLeast && Number(given) <= atMost) return;
  const bounds = atMost === Number.MAX_SAFE_INTEGER ? `at least ${atLeast}` : `from ${atLeast} to ${atMost}`;
  refuse(option, described(given), `a whole number, ${bounds}`);
}

/** The first value that stands twice in a list. */
export function firstDuplicate<Value>(values: readonly Value[]): Value | undefined {
  return values.find((value, index) => values.indexOf(value) !== index);
}
