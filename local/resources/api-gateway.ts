import { declareGatewayResponse } from '../api-gateway/gateway-response';
import { RestApi } from '../api-gateway/rest-api';
import { RestAuthorizer } from '../api-gateway/rest-authorizer';
import { Throttle } from '../api-gateway/throttle';
import type { JsonObject } from '../json';
import { StartError } from '../start-error';
import { createMethod, METHOD_PROPERTIES } from './api-gateway-method';
import { physicalName, shortId } from './physical-id';
import { requireValue } from './require-value';
import type { Deployment, ResourceType } from './resource-type';

/** What an account has where a stage says nothing: requests per second, and at once. */
const ACCOUNT_THROTTLE = { rate: 10_000, burst: 5000 };

export const API_GATEWAY: Record<string, ResourceType> = {
  'AWS::ApiGateway::Account': {
    properties: [],
    create: ({ stack, logicalId }) => ({ ref: shortId(stack.name, logicalId), attributes: {} }),
  },
  'AWS::ApiGateway::RestApi': {
    properties: ['DisableExecuteApiEndpoint', 'EndpointConfiguration.Types'],
    create({ stack, logicalId, properties }, deployment) {
      requireValue(properties, 'DisableExecuteApiEndpoint', false, undefined);
      const id = shortId(stack.name, logicalId);
      const rootId = shortId(stack.name, `${logicalId}/`);
      const { Types = [] } = (properties.EndpointConfiguration ?? {}) as { Types?: string[] };
      if (Types.includes('PRIVATE')) throw new StartError('A private API cannot be reached from this machine.');
      const listener = deployment.listener(stack.name, logicalId);
      const api = new RestApi(id, listener.origin, deployment.clock, Types.includes('REGIONAL'));
      api.resources.set(rootId, '/');
      listener.api = api;
      deployment.restApis.set(id, api);
      return { ref: id, attributes: { RestApiId: id, RootResourceId: rootId } };
    },
  },
  'AWS::ApiGateway::Resource': {
    properties: ['ParentId', 'PathPart', 'RestApiId'],
    create({ stack, logicalId, properties }, deployment) {
      const { resources } = restApi(properties, deployment);
      const parent = resources.get(String(properties.ParentId));
      if (parent === undefined) throw new StartError(`There is no resource ${properties.ParentId} (ParentId).`);
      const id = shortId(stack.name, logicalId, 6);
      resources.set(id, `${parent === '/' ? '' : parent}/${properties.PathPart}`);
      return { ref: id, attributes: { ResourceId: id } };
    },
  },
  'AWS::ApiGateway::Method': {
    properties: METHOD_PROPERTIES,
    create({ stack, logicalId, properties }, deployment) {
      const api = restApi(properties, deployment);
      api.methods.push(createMethod(properties, api, deployment));
      return { ref: physicalName(stack.name, logicalId, 64), attributes: {} };
    },
  },
  'AWS::ApiGateway::Authorizer': {
    properties: ['AuthorizerResultTtlInSeconds', 'AuthorizerUri', 'IdentitySource', 'RestApiId', 'Type'],
    create({ stack, logicalId, properties }, deployment) {
      requireValue(properties, 'Type', 'REQUEST');
      const id = shortId(stack.name, logicalId, 6);
      const sources = String(properties.IdentitySource ?? '')
        .split(',')
        .map((source) => source.trim())
        .filter(Boolean);
      const known = /^method\.request\.(header|querystring)\.|^context\.(httpMethod|path|stage)$/;
      const unknown = sources.find((source) => !known.test(source));
      if (unknown) throw new StartError(`The identity source ${unknown} is not known here.`);
      const timeToLive = Number(properties.AuthorizerResultTtlInSeconds ?? 300);
      if (timeToLive > 0 && sources.length === 0) {
        throw new StartError('An authorizer whose results are kept needs an IdentitySource.');
      }
      const target = deployment.functions.behind(String(properties.AuthorizerUri));
      deployment.restAuthorizers.set(id, new RestAuthorizer(id, target, sources, timeToLive, deployment.clock));
      return { ref: id, attributes: { AuthorizerId: id } };
    },
  },
  'AWS::ApiGateway::GatewayResponse': {
    properties: ['ResponseParameters', 'ResponseTemplates', 'ResponseType', 'RestApiId', 'StatusCode'],
    create({ stack, logicalId, properties }, deployment) {
      const { ResponseParameters = {}, ResponseTemplates = {}, ResponseType, StatusCode } = properties;
      const { gatewayResponses } = restApi(properties, deployment);
      const [type, response] = declareGatewayResponse(
        String(ResponseType),
        StatusCode === undefined ? undefined : String(StatusCode),
        ResponseParameters as Record<string, string>,
        ResponseTemplates as Record<string, string>,
      );
      if (gatewayResponses.has(type)) throw new StartError(`The API has a gateway response ${type} already.`);
      gatewayResponses.set(type, response);
      return { ref: shortId(stack.name, logicalId), attributes: { Id: shortId(stack.name, logicalId) } };
    },
  },
  'AWS::ApiGateway::Deployment': {
    properties: ['RestApiId'],
    create({ stack, logicalId, properties }, deployment) {
      const id = shortId(stack.name, logicalId, 6);
      deployment.restApiDeployments.set(id, restApi(properties, deployment).snapshot());
      return { ref: id, attributes: { DeploymentId: id } };
    },
  },
  'AWS::ApiGateway::Stage': {
    properties: [
      'DeploymentId',
      'MethodSettings.HttpMethod',
      'MethodSettings.ResourcePath',
      'MethodSettings.ThrottlingBurstLimit',
      'MethodSettings.ThrottlingRateLimit',
      'RestApiId',
      'StageName',
    ],
    create({ properties }, deployment) {
      const snapshot = deployment.restApiDeployments.get(String(properties.DeploymentId));
      if (!snapshot) throw new StartError(`There is no deployment ${properties.DeploymentId}.`);
      const name = String(properties.StageName);
      const { rate, burst } = throttleOf((properties.MethodSettings ?? []) as JsonObject[]);
      const throttle = new Throttle(rate, burst);
      restApi(properties, deployment).stages.set(name, { deployment: snapshot, throttle });
      return { ref: name, attributes: {} };
    },
  },
};

function restApi(properties: JsonObject, deployment: Deployment): RestApi {
  const api = deployment.restApis.get(String(properties.RestApiId));
  if (!api) throw new StartError(`There is no REST API ${properties.RestApiId}.`);
  return api;
}

function throttleOf(settings: readonly JsonObject[]): { rate: number; burst: number } {
  const throttle = { ...ACCOUNT_THROTTLE };
  for (const { HttpMethod, ResourcePath, ThrottlingBurstLimit, ThrottlingRateLimit } of settings) {
    if (ThrottlingBurstLimit === undefined && ThrottlingRateLimit === undefined) continue;
    if (HttpMethod !== '*' || ResourcePath !== '/*') {
      throw new StartError(`MethodSettings throttles ${HttpMethod} ${ResourcePath}; known here is throttling of * /*.`);
    }
    throttle.rate = Number(ThrottlingRateLimit ?? throttle.rate);
    throttle.burst = Number(ThrottlingBurstLimit ?? throttle.burst);
  }
  return throttle;
}
