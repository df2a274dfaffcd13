import type { RequestHandler } from 'express';
import type { ProtectedResource } from './protected-resource';

/** For how long clients may keep the metadata, in seconds. */
const MAX_AGE = 3600;

const ALLOWED = 'GET, HEAD, OPTIONS';

/**
 * Serves protected resource metadata (RFC 9728 section 3.2).
 *
 * @param known resolves when the authorization server can know the resource: clients read the metadata before they ask for a token
 */
export function metadataRoute(resource: ProtectedResource, known = async () => {}): RequestHandler {
  return async (req, res) => {
    if (req.method === 'OPTIONS') {
      res.status(204).set('Allow', ALLOWED).end();
      return;
    }
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.status(405).set('Allow', ALLOWED).end();
      return;
    }
    try {
      await known();
    } catch {
      res.status(503).set('Retry-After', '5').json({ error: 'temporarily_unavailable' });
      return;
    }
    res.set('Cache-Control', `public, max-age=${MAX_AGE}`).json(resource.metadata);
  };
}
