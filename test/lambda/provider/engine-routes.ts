import { vi } from 'vitest';
import { makeKeySet } from '../../../lambda/key-set/make-key-set';
import { createEngine, type EngineContext } from '../../../lambda/provider/engine';
import { serverKeys } from '../../../lambda/provider/key-source';
import { ISSUER } from './deployment';

/** The engine registers these whatever its configuration; nothing here leads to them. */
const UNUSED = ['POST /session/end/confirm', 'GET /register/{clientId}'];
/** Those that are not the engine's. */
const OWN = ['GET /', 'GET /interaction/{uid}', 'POST /interaction/{uid}', 'GET /callback', 'OPTIONS /register'];

/** What the server answers to, `METHOD /path`: the routes that the engine registers, as it does, and those of the sign-in. */
export async function serverRoutes(): Promise<string[]> {
  const routed: string[] = [];
  const { default: Router } = await import('oidc-provider/lib/helpers/router.js' as string);
  const registers = ['get', 'post', 'put', 'delete', 'options'].map((method) =>
    vi.spyOn(Router.prototype, method).mockImplementation((_name, path) => {
      routed.push(`${method.toUpperCase()} ${String(path).replace(/:(\w+)/g, '{$1}')}`);
    }),
  );
  const lifetimes = { accessToken: 1, authorizationCode: 1, interaction: 1, grant: 1 };
  const config = { issuer: ISSUER, upstream: { issuer: 'https://login.example.com' }, lifetimes };
  const context = { config, renderError() {}, onServerError() {} } as unknown as EngineContext;
  createEngine(context, serverKeys(await makeKeySet(0)));
  for (const register of registers) register.mockRestore();
  const used = [...routed.filter((route) => !UNUSED.includes(route)), ...OWN];
  return [
    ...new Set(used.flatMap((route) => (route.startsWith('GET ') ? [route, route.replace('GET', 'HEAD')] : [route]))),
  ].sort();
}
