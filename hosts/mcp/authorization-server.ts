import type { RequestHandler } from 'express';
import { loggablePath, logProblem } from '../../lambda/provider/log';
import type { HostedServer } from '../hosted-server';
import { nodeHandler } from '../node-handler';

/**
 * The authorization server as middleware of an Express app. What is not for its routes goes on.
 *
 * @param except paths of its routes that the app answers by itself
 */
export function authorizationServer(hosted: HostedServer, except: readonly string[] = []): RequestHandler {
  const handle = nodeHandler(hosted, except);
  return async (req, res, next) => {
    try {
      if (!(await handle(req, res))) next();
    } catch (error) {
      logProblem('request.failed', error, { path: loggablePath(req.path) });
      res.status(500).json({ error: 'server_error' });
    }
  };
}
