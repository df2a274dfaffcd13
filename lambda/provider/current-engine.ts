import { AsyncLocalStorage } from 'node:async_hooks';
import type { Provider } from 'oidc-provider';
import { createEngine, type EngineContext, SESSION_COOKIE } from './engine';
import { callNodeHandler } from './engine-bridge';
import { isForPeople } from './failures';
import type { HttpRequest, HttpResponse } from './http';
import type { KeySource } from './key-source';
import { logProblem } from './log';
import { Sealer } from './sealer';

/** The engine that goes with the server's keys, which may be others at any time, and the sealer of the same keys. */
export class CurrentEngine {
  readonly #issuer: URL;
  /** What went wrong inside the engine while it answered the request. */
  readonly #failure = new AsyncLocalStorage<{ error?: Error }>();
  #made: { readonly versionId: string; readonly provider: Provider; readonly sealer: Sealer } | undefined;

  constructor(
    private readonly keys: KeySource,
    private readonly context: Omit<EngineContext, 'onServerError'>,
  ) {
    this.#issuer = new URL(context.config.issuer);
  }

  /** The engine reads its keys once, so another version of them is another engine; requests under way keep theirs. */
  async get(): Promise<Provider> {
    const version = await this.keys.get();
    const { versionId } = version;
    if (this.#made?.versionId === versionId) return this.#made.provider;
    try {
      const keys = version.keys();
      const sealer = new Sealer(keys.encryptionKeys);
      const provider = createEngine({ ...this.context, onServerError: (error) => this.#note(error) }, keys);
      this.#made = { versionId, provider, sealer };
    } catch (error) {
      // A key set that cannot be used must not stop a server that has a good one.
      if (!this.#made) throw error;
      logProblem('key_set.unusable', error);
    }
    return this.#made.provider;
  }

  /** Comes with the engine: no request is answered before that is there. */
  get sealer(): Sealer {
    if (!this.#made) throw new Error('No request is answered before the key set is there');
    return this.#made.sealer;
  }

  /**
   * What an engine answers, without the login session that it names and nobody stores.
   *
   * @param engine the one that the request began with
   * @throws what went wrong inside it
   */
  async call(engine: Provider, request: HttpRequest): Promise<HttpResponse> {
    const outcome: { error?: Error } = {};
    // The engine answers whoever prefers HTML with a page, and some programs say so without meaning it.
    const headers = isForPeople(request.path) ? request.headers : { ...request.headers, accept: 'application/json' };
    const response = await this.#failure.run(outcome, () =>
      callNodeHandler(engine.callback(), { ...request, headers }, this.#issuer),
    );
    if (outcome.error) throw outcome.error;
    const cookies = response.cookies.filter((cookie) => !cookie.startsWith(`${SESSION_COOKIE}=`));
    return { ...response, cookies };
  }

  #note(error: Error): void {
    const outcome = this.#failure.getStore();
    if (outcome) outcome.error = error;
  }
}
