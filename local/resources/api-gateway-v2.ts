import { REGION, URL_SUFFIX } from '../account';
import { HttpApi } from '../api-gateway/http-api';
import { HttpApiAuthorizer } from '../api-gateway/http-api-authorizer';
import { Throttle } from '../api-gateway/throttle';
import type { JsonObject } from '../json';
import { StartError } from '../start-error';
import { shortId } from './physical-id';
import { requireValue } from './require-value';
import type { Deployment, ResourceType } from './resource-type';

export const API_GATEWAY_V2: Record<string, ResourceType> = {
  'AWS::ApiGatewayV2::Api': {
    properties: ['DisableExecuteApiEndpoint', 'ProtocolType'],
    create({ stack, logicalId, properties }, deployment) {
      requireValue(properties, 'ProtocolType', 'HTTP');
      requireValue(properties, 'DisableExecuteApiEndpoint', false, undefined);
      const id = shortId(stack.name, logicalId);
      const listener = deployment.listener(stack.name, logicalId);
      const api = new HttpApi(id, listener.origin, deployment.clock);
      listener.api = api;
      deployment.httpApis.set(id, api);
      return { ref: id, attributes: { ApiId: id, ApiEndpoint: `https://${id}.execute-api.${REGION}.${URL_SUFFIX}` } };
    },
  },
  'AWS::ApiGatewayV2::Integration': {
    properties: ['ApiId', 'IntegrationType', 'IntegrationUri', 'PayloadFormatVersion', 'TimeoutInMillis'],
    create({ stack, logicalId, properties }, deployment) {
      requireValue(properties, 'IntegrationType', 'AWS_PROXY');
      requireValue(properties, 'PayloadFormatVersion', '2.0');
      const id = shortId(stack.name, logicalId, 7);
      deployment.httpApiIntegrations.set(id, {
        target: deployment.functions.behind(String(properties.IntegrationUri)),
        timeoutMilliseconds: Number(properties.TimeoutInMillis ?? 30_000),
      });
      return { ref: id, attributes: {} };
    },
  },
  'AWS::ApiGatewayV2::Authorizer': {
    properties: [
      'ApiId',
      'AuthorizerPayloadFormatVersion',
      'AuthorizerResultTtlInSeconds',
      'AuthorizerType',
      'AuthorizerUri',
      'EnableSimpleResponses',
      'IdentitySource',
    ],
    create({ stack, logicalId, properties }, deployment) {
      requireValue(properties, 'AuthorizerType', 'REQUEST');
      requireValue(properties, 'AuthorizerPayloadFormatVersion', '2.0');
      requireValue(properties, 'EnableSimpleResponses', true);
      const id = shortId(stack.name, logicalId, 6);
      const sources = (properties.IdentitySource ?? []) as string[];
      const unknown = sources.find(
        (source) => !/^\$request\.(header|querystring)\.|^\$context\.routeKey$/.test(source),
      );
      if (unknown) throw new StartError(`The identity source ${unknown} is not known here.`);
      const timeToLive = Number(properties.AuthorizerResultTtlInSeconds ?? (sources.length > 0 ? 300 : 0));
      if (timeToLive > 0 && sources.length === 0) {
        throw new StartError('AuthorizerResultTtlInSeconds needs at least one IdentitySource.');
      }
      const target = deployment.functions.behind(String(properties.AuthorizerUri));
      deployment.httpApiAuthorizers.set(id, new HttpApiAuthorizer(id, target, sources, timeToLive, deployment.clock));
      return { ref: id, attributes: { AuthorizerId: id } };
    },
  },
  'AWS::ApiGatewayV2::Route': {
    properties: ['ApiId', 'AuthorizationType', 'AuthorizerId', 'RouteKey', 'Target'],
    create({ stack, logicalId, properties }, deployment) {
      requireValue(properties, 'AuthorizationType', 'NONE', 'CUSTOM', undefined);
      const api = httpApi(properties, deployment);
      const routeKey = String(properties.RouteKey);
      const integration = deployment.httpApiIntegrations.get(String(properties.Target).replace('integrations/', ''));
      if (!integration) throw new StartError(`There is no integration ${properties.Target}.`);
      if (api.routes.some((route) => route.routeKey === routeKey)) {
        throw new StartError(`The API has the route ${routeKey} already.`);
      }
      const authorizer = deployment.httpApiAuthorizers.get(String(properties.AuthorizerId));
      if (properties.AuthorizationType === 'CUSTOM' && !authorizer) {
        throw new StartError(`There is no authorizer ${properties.AuthorizerId}.`);
      }
      api.routes.push({ routeKey, integration, ...(authorizer ? { authorizer } : {}) });
      return { ref: shortId(stack.name, logicalId, 7), attributes: {} };
    },
  },
  'AWS::ApiGatewayV2::Stage': {
    properties: [
      'ApiId',
      'AutoDeploy',
      'DefaultRouteSettings.ThrottlingBurstLimit',
      'DefaultRouteSettings.ThrottlingRateLimit',
      'StageName',
    ],
    create({ properties }, deployment) {
      requireValue(properties, 'StageName', '$default');
      requireValue(properties, 'AutoDeploy', true);
      const api = httpApi(properties, deployment);
      const { ThrottlingRateLimit, ThrottlingBurstLimit } = (properties.DefaultRouteSettings ?? {}) as JsonObject;
      if (ThrottlingRateLimit !== undefined && ThrottlingBurstLimit !== undefined) {
        api.throttle = new Throttle(Number(ThrottlingRateLimit), Number(ThrottlingBurstLimit));
      }
      api.deployed = true;
      return { ref: '$default', attributes: {} };
    },
  },
};

function httpApi(properties: JsonObject, deployment: Deployment): HttpApi {
  const api = deployment.httpApis.get(String(properties.ApiId));
  if (!api) throw new StartError(`There is no HTTP API ${properties.ApiId}.`);
  return api;
}
