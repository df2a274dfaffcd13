import { type HttpResponse, json } from '../lambda/provider/http';
import { logProblem } from '../lambda/provider/log';
import type { AuthorizationServer } from '../lambda/provider/server';

/**
 * Whether requests can be answered: 200, or 503 where a part that they need is missing. Which one, everybody may know; why, the log says.
 */
export async function readiness(server: AuthorizationServer): Promise<HttpResponse> {
  const problems = await server.problems();
  const parts = Object.entries(problems).map(([part, problem]) => {
    if (problem) logProblem('server.not_ready', problem, { part });
    return [part, problem ? 'unavailable' : 'ok'];
  });
  const isReady = parts.every(([, state]) => state === 'ok');
  return json(isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', ...Object.fromEntries(parts) });
}
