import { Listener } from './api-gateway/listener';
import { shortId } from './resources/physical-id';
import type { AssemblyStack } from './template/assembly';
import { LocalOrigins } from './template/local-origins';

const HTTP_API = 'AWS::ApiGatewayV2::Api';
const REST_API = 'AWS::ApiGateway::RestApi';

interface LocalApi {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  readonly listener: Listener;
}

/** A listener for every API of the stacks, before the APIs are there: their URLs are needed to create the rest. */
export class LocalApis {
  readonly origins = new LocalOrigins();
  readonly #apis: LocalApi[] = [];

  /** @param ports of the first HTTP API and of the first REST API; 0 for any free one */
  async listen(stacks: readonly AssemblyStack[], ports: { issuer?: number; mcp?: number }): Promise<void> {
    for (const stack of stacks) {
      for (const [logicalId, { Type: type }] of Object.entries(stack.template.Resources ?? {})) {
        if (type !== HTTP_API && type !== REST_API) continue;
        const isFirst = !this.#apis.some((api) => api.type === type);
        const port = isFirst ? ((type === HTTP_API ? ports.issuer : ports.mcp) ?? 0) : 0;
        const listener = await Listener.open(port);
        this.#apis.push({ stack: stack.name, logicalId, type, listener });
        this.origins.add(shortId(stack.name, logicalId), listener.origin);
      }
    }
  }

  listener(stack: string, logicalId: string): Listener {
    return this.#apis.find((api) => api.stack === stack && api.logicalId === logicalId)!.listener;
  }

  /** Local origins by logical id. */
  byLogicalId(): Record<string, string> {
    return Object.fromEntries(this.#apis.map(({ logicalId, listener }) => [logicalId, listener.origin]));
  }

  get firstHttpApi(): string | undefined {
    return this.#first(HTTP_API);
  }

  get firstRestApi(): string | undefined {
    return this.#first(REST_API);
  }

  async close(): Promise<void> {
    await Promise.all(this.#apis.map(({ listener }) => listener.close()));
  }

  #first(type: string): string | undefined {
    return this.#apis.find((api) => api.type === type)?.listener.origin;
  }
}
