import { randomUUID } from 'node:crypto';
import { arn } from '../account';
import type { Clock } from '../clock';
import type { LambdaFunction } from '../lambda/function';
import { InvokeError } from '../lambda/invoke-error';
import type { HttpApiAuthorizer } from './http-api-authorizer';
import { type HttpApiCall, integrationEvent } from './http-api-event';
import { toHttpApiResponse } from './http-api-response';
import type { Api } from './listener';
import { compareTemplates, matchTemplate, parseTemplate } from './path-template';
import type { ApiRequest, RequestLimitError } from './request';
import { type ApiResponse, jsonResponse } from './response';
import type { Throttle } from './throttle';
import { within } from './time-limit';

export interface HttpApiIntegration {
  readonly target: LambdaFunction;
  readonly timeoutMilliseconds: number;
}

export interface HttpApiRoute {
  /** `GET /path`, `ANY /path/{proxy+}` or `$default` */
  readonly routeKey: string;
  readonly integration: HttpApiIntegration;
  readonly authorizer?: HttpApiAuthorizer;
}

/** An API Gateway HTTP API (v2) with its `$default` stage. */
export class HttpApi implements Api {
  readonly routes: HttpApiRoute[] = [];
  /** Whether the `$default` stage exists; nothing is answered before. */
  deployed = false;
  throttle: Throttle | undefined;

  constructor(
    readonly id: string,
    readonly origin: string,
    readonly clock: Clock,
  ) {}

  async handle(request: ApiRequest): Promise<ApiResponse> {
    const requestId = randomUUID();
    const response = await this.#answer(request, requestId);
    return { ...response, headers: [...response.headers, ['Apigw-Requestid', requestId]] };
  }

  refuse(error: RequestLimitError): ApiResponse {
    return jsonResponse(error.statusCode, { message: error.message });
  }

  async #answer(request: ApiRequest, requestId: string): Promise<ApiResponse> {
    const match = this.deployed ? this.#match(request) : undefined;
    if (!match) return jsonResponse(404, { message: 'Not Found' });
    if (this.throttle?.allows() === false) return jsonResponse(429, { message: 'Too Many Requests' });
    const { route, pathParameters } = match;
    const call: HttpApiCall = {
      request,
      apiId: this.id,
      domainName: new URL(this.origin).host,
      stage: '$default',
      routeKey: route.routeKey,
      pathParameters,
      requestId,
      time: this.clock.now(),
    };
    const authorization = await route.authorizer?.authorize(call);
    switch (authorization?.outcome) {
      case 'unauthorized':
        return jsonResponse(401, { message: 'Unauthorized' });
      case 'forbidden':
        return jsonResponse(403, { message: 'Forbidden' });
      case 'failed':
        return jsonResponse(500, { message: 'Internal Server Error' });
      default:
        return this.#integrate(call, route, authorization?.context);
    }
  }

  async #integrate(call: HttpApiCall, route: HttpApiRoute, context: object | undefined): Promise<ApiResponse> {
    const { target, timeoutMilliseconds } = route.integration;
    const resource = route.routeKey === '$default' ? '/$default' : `/${route.routeKey.replace(' ', '')}`;
    const invoker = {
      service: 'apigateway.amazonaws.com',
      sourceArn: arn('execute-api', `${this.id}/$default${resource}`),
    };
    try {
      const result = await within(timeoutMilliseconds, target.invoke(integrationEvent(call, context), invoker));
      if (!result) return jsonResponse(503, { message: 'Service Unavailable' });
      const response = 'payload' in result ? toHttpApiResponse(result.payload) : undefined;
      return response ?? jsonResponse(500, { message: 'Internal Server Error' });
    } catch (error) {
      if (!(error instanceof InvokeError)) throw error;
      if (error.code === 'TooManyRequestsException') return jsonResponse(503, { message: 'Service Unavailable' });
      return jsonResponse(500, { message: 'Internal Server Error' });
    }
  }

  /** The route with the most specific path; of two with the same path, the one with the method before `ANY`. */
  #match(request: ApiRequest): { route: HttpApiRoute; pathParameters: Record<string, string> } | undefined {
    const matches = this.routes
      .filter(({ routeKey }) => routeKey !== '$default')
      .flatMap((route) => {
        const [method, path] = route.routeKey.split(' ') as [string, string];
        if (method !== 'ANY' && method !== request.method) return [];
        const template = parseTemplate(path);
        const pathParameters = matchTemplate(template, request.path);
        return pathParameters ? [{ route, pathParameters, template, any: method === 'ANY' }] : [];
      })
      .sort((left, right) => compareTemplates(left.template, right.template) || Number(left.any) - Number(right.any));
    if (matches[0]) return matches[0];
    const route = this.routes.find(({ routeKey }) => routeKey === '$default');
    return route && { route, pathParameters: {} };
  }
}
