import { ROUTES } from '../../lib/contract';

/** Where the server's metadata is (RFC 8414 section 3, OpenID Connect Discovery 1.0 section 4). */
export const METADATA_PATHS: readonly string[] = [
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
];

/**
 * The route that a path is for, spelled exactly as in the contract. The engine's own router takes other spellings too, in upper case or with a
 * slash at the end; whatever reaches it so has passed nothing of what stands before the engine here.
 *
 * @param callbackPath the path of this server's redirect URI at upstream
 */
export function routeAt(path: string, callbackPath: string): (typeof ROUTES)[number] | undefined {
  const given = path.split('/');
  return ROUTES.find((route) => {
    const segments = (route.path === '/callback' ? callbackPath : route.path).split('/');
    return segments.length === given.length && segments.every((segment, i) => isFor(segment, given[i] ?? ''));
  });
}

/** The engine makes its ids of the alphabet of base64url. */
function isFor(segment: string, given: string): boolean {
  return segment === '{uid}' ? /^[\w-]+$/.test(given) : segment === given;
}
