/** Someone who can sign in at the demo identity provider. */
export interface Person {
  readonly username: string;
  readonly password: string;
  /** Standard claims (OpenID Connect Core section 5.1) and `groups`. */
  readonly claims: { readonly sub: string; readonly name: string; readonly groups: readonly string[] };
}

/** Everyone there is, with the password that `newPassword` makes. */
export function demoPeople(newPassword: () => string): Person[] {
  return [
    {
      username: 'ada@example.com',
      password: newPassword(),
      claims: { sub: 'demo-ada', name: 'Ada Lovelace', groups: ['engineering', 'administrators'] },
    },
    {
      username: 'grace@example.com',
      password: newPassword(),
      claims: { sub: 'demo-grace', name: 'Grace Hopper', groups: ['engineering'] },
    },
  ];
}
