import type { AllowRule } from '../../lib/contract';

/**
 * Every rule must hold; a rule holds when the claim, or a member of it, equals one of its values, or is the verified address of a domain
 * among them.
 */
export function isAllowed(claims: Readonly<Record<string, unknown>>, rules: readonly AllowRule[]): boolean {
  const addressIsVerified = claims.email_verified === true || claims.email_verified === 'true';
  return rules.every((rule) => {
    if (needsVerifiedAddress(rule) && !addressIsVerified) return false;
    const held = claims[rule.claim];
    const members = (Array.isArray(held) ? held : [held]).map((member) =>
      typeof member === 'boolean' || typeof member === 'number' ? String(member) : member,
    );
    return rule.values.some((value) =>
      value.startsWith('@')
        ? members.some((member) => domainOf(member) === value.toLowerCase() && isAddress(member, claims.email))
        : members.includes(value),
    );
  });
}

/** An address counts only where upstream has verified that it is the person's: with many providers anybody may claim any. */
export function needsVerifiedAddress({ claim, values }: AllowRule): boolean {
  return claim === 'email' || values.some((value) => value.startsWith('@'));
}

/** It is `email` that `email_verified` speaks of: what looks like an address in another claim may be what the person has written there. */
function isAddress(member: unknown, email: unknown): boolean {
  return typeof member === 'string' && typeof email === 'string' && member.toLowerCase() === email.toLowerCase();
}

function domainOf(address: unknown): string | undefined {
  return typeof address === 'string' ? address.slice(address.lastIndexOf('@')).toLowerCase() : undefined;
}
