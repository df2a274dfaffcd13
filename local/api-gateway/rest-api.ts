import { randomUUID } from 'node:crypto';
import { arn } from '../account';
import type { Clock } from '../clock';
import { InvokeError } from '../lambda/invoke-error';
import type { Invoker } from '../lambda/permission';
import { type GatewayError, type GatewayResponse, type GatewayResponseType, gatewayResponse } from './gateway-response';
import type { Api } from './listener';
import type { ApiRequest, RequestLimitError } from './request';
import { type ApiResponse, jsonResponse } from './response';
import { integrationEvent, type RestCall } from './rest-api-call';
import { type LambdaProxyIntegration, RestApiDeployment, type RestMethod } from './rest-api-deployment';
import { StreamedResponse, toRestApiResponse } from './rest-lambda-response';
import type { Throttle } from './throttle';
import { within } from './time-limit';

export interface RestStage {
  readonly deployment: RestApiDeployment;
  readonly throttle?: Throttle;
}

const INTERNAL_ERROR: GatewayError = { type: 'API_CONFIGURATION_ERROR', message: 'Internal server error' };
const TIMEOUT: GatewayError = { type: 'INTEGRATION_TIMEOUT', message: 'Endpoint request timed out' };
/** For what a function itself got wrong. */
const BAD_GATEWAY: GatewayError = { ...INTERNAL_ERROR, statusCode: 502 };

/** An API Gateway REST API (v1) with its stages. */
export class RestApi implements Api {
  /** Paths by resource id. */
  readonly resources = new Map<string, string>();
  readonly methods: RestMethod[] = [];
  readonly gatewayResponses = new Map<GatewayResponseType, GatewayResponse>();
  readonly stages = new Map<string, RestStage>();
  /** A streamed response breaks off where nothing comes for this long. */
  readonly #idleMilliseconds: number;

  constructor(
    readonly id: string,
    readonly origin: string,
    readonly clock: Clock,
    regional: boolean,
  ) {
    this.#idleMilliseconds = regional ? 300_000 : 30_000;
  }

  /** What the API holds now. */
  snapshot(): RestApiDeployment {
    return new RestApiDeployment(this.resources.values(), this.methods, new Map(this.gatewayResponses));
  }

  async handle(request: ApiRequest): Promise<ApiResponse> {
    const requestId = randomUUID();
    const response = await this.#answer(request, requestId);
    return { ...response, headers: [...response.headers, ['x-amzn-RequestId', requestId]] };
  }

  refuse(error: RequestLimitError): ApiResponse {
    return jsonResponse(error.statusCode, { message: error.message });
  }

  async #answer(request: ApiRequest, requestId: string): Promise<ApiResponse> {
    const [, stageName = '', rest = ''] = /^\/([^/]*)(.*)$/.exec(request.path) ?? [];
    const stage = this.stages.get(stageName);
    if (!stage) return jsonResponse(403, { message: 'Forbidden' }, [['x-amzn-ErrorType', 'ForbiddenException']]);
    const path = rest || '/';
    const { method, pathParameters } = stage.deployment.match(request.method, path);
    const call: RestCall = {
      request,
      apiId: this.id,
      domainName: new URL(this.origin).host,
      stage: stageName,
      path,
      requestId,
      time: this.clock.now(),
      pathParameters,
      ...(method && { resource: { id: method.resourceId, path: method.resourcePath } }),
    };
    const result = await this.#execute(call, method, stage);
    return 'body' in result ? result : gatewayResponse(result, call, stage.deployment.gatewayResponses);
  }

  async #execute(
    call: RestCall,
    method: RestMethod | undefined,
    stage: RestStage,
  ): Promise<ApiResponse | GatewayError> {
    if (!method) return { type: 'MISSING_AUTHENTICATION_TOKEN', message: 'Missing Authentication Token' };
    if (stage.throttle?.allows() === false) return { type: 'THROTTLED', message: 'Too Many Requests' };
    const authorization = await method.authorizer?.authorize(call);
    if (authorization && 'error' in authorization) return authorization.error;
    const { integration } = method;
    if (integration.type === 'MOCK') {
      const response = integration.respond(call.request);
      if (response === 'API_CONFIGURATION_ERROR') return INTERNAL_ERROR;
      if (response === 'UNSUPPORTED_MEDIA_TYPE') return { type: response, message: 'Unsupported Media Type' };
      return response;
    }
    try {
      return await this.#invoke(call, method, integration, authorization?.context);
    } catch (error) {
      if (!(error instanceof InvokeError)) throw error;
      if (error.code === 'RequestTooLargeException') return { type: 'REQUEST_TOO_LARGE', message: 'Request Too Long' };
      return INTERNAL_ERROR;
    }
  }

  async #invoke(
    call: RestCall,
    method: RestMethod,
    integration: LambdaProxyIntegration,
    context: object | undefined,
  ): Promise<ApiResponse | GatewayError> {
    const { target, timeoutMilliseconds } = integration;
    const event = integrationEvent(call, context);
    const sourceArn = arn('execute-api', `${this.id}/${call.stage}/${call.request.method}${method.resourcePath}`);
    const invoker = { service: 'apigateway.amazonaws.com', sourceArn };
    if (integration.stream) return this.#stream(integration, event, invoker);
    const result = await within(timeoutMilliseconds, target.invoke(event, invoker));
    if (!result) return TIMEOUT;
    return ('payload' in result ? toRestApiResponse(result.payload) : undefined) ?? BAD_GATEWAY;
  }

  async #stream(
    { target, timeoutMilliseconds }: LambdaProxyIntegration,
    event: object,
    invoker: Invoker,
  ): Promise<ApiResponse | GatewayError> {
    const streamed = new StreamedResponse();
    let timedOut = false;
    const giveUp = () => {
      timedOut = true;
      streamed.abort();
    };
    const limit = setTimeout(giveUp, timeoutMilliseconds);
    const idle = setTimeout(giveUp, this.#idleMilliseconds);
    const onChunk = (chunk: Uint8Array) => {
      idle.refresh();
      streamed.write(chunk);
    };
    const ended = target
      .invokeWithResponseStream(event, onChunk, invoker)
      .then((error) => (error ? streamed.abort() : streamed.end()))
      .finally(() => {
        clearTimeout(limit);
        clearTimeout(idle);
      });
    const response = await Promise.race([streamed.response, ended.then(() => streamed.response)]);
    return response ?? (timedOut ? TIMEOUT : BAD_GATEWAY);
  }
}
