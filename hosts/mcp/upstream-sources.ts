import type { UpstreamAccessToken } from '../../lambda/provider/upstream-tokens';
import type { AuthInfo, Person } from './caller';

/**
 * Where the upstream token of whoever calls comes from, by the objects that their request has been given: who makes one up gets no token.
 */
export const upstreamSources = new WeakMap<Person | AuthInfo, () => Promise<UpstreamAccessToken>>();
