import { REGION, URL_SUFFIX } from '../account';
import { isObject, type Json } from '../json';

/**
 * The one substitution that running a template here makes: the execute-api origin of each API becomes its local origin,
 * wherever it occurs in a resolved value.
 */
export class LocalOrigins {
  readonly #origins = new Map<string, string>();

  add(apiId: string, origin: string): void {
    this.#origins.set(`https://${apiId}.execute-api.${REGION}.${URL_SUFFIX}`, origin);
  }

  apply<T extends Json>(value: T): T {
    return this.#apply(value) as T;
  }

  #apply(value: Json): Json {
    if (typeof value === 'string') {
      let text = value;
      for (const [deployed, local] of this.#origins) text = text.replaceAll(deployed, local);
      return text;
    }
    if (Array.isArray(value)) return value.map((item) => this.#apply(item));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, content]) => [name, this.#apply(content)]));
  }
}
