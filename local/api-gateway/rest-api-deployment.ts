import type { LambdaFunction } from '../lambda/function';
import type { GatewayResponse, GatewayResponseType } from './gateway-response';
import type { MockIntegration } from './mock-integration';
import { compareTemplates, matchTemplate, parseTemplate } from './path-template';
import type { RestAuthorizer } from './rest-authorizer';

export interface LambdaProxyIntegration {
  readonly type: 'AWS_PROXY';
  readonly target: LambdaFunction;
  readonly timeoutMilliseconds: number;
  /** Whether the response is sent on while it is written. */
  readonly stream: boolean;
}

export interface RestMethod {
  readonly resourceId: string;
  readonly resourcePath: string;
  /** Or `ANY`. */
  readonly httpMethod: string;
  readonly authorizer?: RestAuthorizer;
  readonly integration: LambdaProxyIntegration | MockIntegration;
}

/** What a deployment of a REST API holds. What is added to the API later is not part of it. */
export class RestApiDeployment {
  readonly #methods: readonly RestMethod[];
  readonly #paths: readonly string[];

  constructor(
    /** The path of every resource. */
    paths: Iterable<string>,
    methods: Iterable<RestMethod>,
    readonly gatewayResponses: ReadonlyMap<GatewayResponseType, GatewayResponse>,
  ) {
    this.#paths = [...paths];
    this.#methods = [...methods];
  }

  /** The method for a request: first the most specific resource, then its method or else its `ANY`. */
  match(
    httpMethod: string,
    path: string,
  ): { readonly method?: RestMethod; readonly pathParameters: Record<string, string> } {
    const trimmed = path.length > 1 ? path.replace(/\/$/, '') : path;
    const found = this.#paths
      .map((resourcePath) => ({ resourcePath, template: parseTemplate(resourcePath) }))
      .sort((left, right) => compareTemplates(left.template, right.template))
      .flatMap(({ resourcePath, template }) => {
        const pathParameters = matchTemplate(template, trimmed);
        return pathParameters ? [{ resourcePath, pathParameters }] : [];
      })[0];
    if (!found) return { pathParameters: {} };
    const methods = this.#methods.filter(({ resourcePath }) => resourcePath === found.resourcePath);
    const method =
      methods.find((candidate) => candidate.httpMethod === httpMethod) ??
      methods.find((candidate) => candidate.httpMethod === 'ANY');
    return { method, pathParameters: found.pathParameters };
  }
}
