/** What the Grant remembers of the person, beside what the engine keeps in it. */
export interface PersonalGrant {
  /** Copied into access tokens. */
  personClaims?: Readonly<Record<string, unknown>>;
  /** Every claim of upstream's ID token, where the host hands the person on to an MCP server that shares the store. */
  upstreamClaims?: Readonly<Record<string, unknown>>;
  /** What the host has made of them for that. */
  customData?: Readonly<Record<string, unknown>>;
  /** The person has agreed that the resource server acts for them upstream. */
  upstreamTokens?: boolean;
}

/** The names of its members: each is named here, or this does not compile. */
export const PERSONAL_MEMBERS: readonly string[] = Object.keys({
  personClaims: true,
  upstreamClaims: true,
  customData: true,
  upstreamTokens: true,
} satisfies Record<keyof PersonalGrant, true>);
