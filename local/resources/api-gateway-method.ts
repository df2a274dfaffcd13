import { type MethodResponse, type MockDeclaration, MockIntegration } from '../api-gateway/mock-integration';
import type { RestApi } from '../api-gateway/rest-api';
import type { LambdaProxyIntegration, RestMethod } from '../api-gateway/rest-api-deployment';
import type { JsonObject } from '../json';
import { StartError } from '../start-error';
import { requireValue } from './require-value';
import type { Deployment } from './resource-type';

export const METHOD_PROPERTIES = [
  'ApiKeyRequired',
  'AuthorizationType',
  'AuthorizerId',
  'HttpMethod',
  'Integration.IntegrationHttpMethod',
  'Integration.IntegrationResponses.ResponseParameters',
  'Integration.IntegrationResponses.ResponseTemplates',
  'Integration.IntegrationResponses.SelectionPattern',
  'Integration.IntegrationResponses.StatusCode',
  'Integration.PassthroughBehavior',
  'Integration.RequestTemplates',
  'Integration.ResponseTransferMode',
  'Integration.TimeoutInMillis',
  'Integration.Type',
  'Integration.Uri',
  'MethodResponses.ResponseParameters',
  'MethodResponses.StatusCode',
  'ResourceId',
  'RestApiId',
];

/** A buffered integration may take this long, and a streamed one where nothing is said, in milliseconds. */
const DEFAULT_TIMEOUT = 29_000;

/** @throws StartError where the method is of a kind that is not imitated here */
export function createMethod(properties: JsonObject, api: RestApi, deployment: Deployment): RestMethod {
  requireValue(properties, 'AuthorizationType', 'NONE', 'CUSTOM');
  requireValue(properties, 'ApiKeyRequired', false, undefined);
  const resourceId = String(properties.ResourceId);
  const resourcePath = api.resources.get(resourceId);
  if (resourcePath === undefined) throw new StartError(`There is no resource ${resourceId} (ResourceId).`);
  const authorizer = deployment.restAuthorizers.get(String(properties.AuthorizerId));
  if (properties.AuthorizationType === 'CUSTOM' && !authorizer) {
    throw new StartError(`There is no authorizer ${properties.AuthorizerId}.`);
  }
  const declaration = (properties.Integration ?? {}) as JsonObject;
  requireValue(declaration, 'Type', 'AWS_PROXY', 'MOCK');
  return {
    resourceId,
    resourcePath,
    httpMethod: String(properties.HttpMethod),
    integration:
      declaration.Type === 'MOCK'
        ? new MockIntegration(
            declaration as MockDeclaration,
            (properties.MethodResponses ?? []) as unknown as MethodResponse[],
          )
        : lambdaIntegration(declaration, deployment),
    ...(authorizer ? { authorizer } : {}),
  };
}

function lambdaIntegration(declaration: JsonObject, deployment: Deployment): LambdaProxyIntegration {
  requireValue(declaration, 'IntegrationHttpMethod', 'POST');
  requireValue(declaration, 'ResponseTransferMode', 'BUFFERED', 'STREAM', undefined);
  const uri = String(declaration.Uri);
  const stream = declaration.ResponseTransferMode === 'STREAM';
  if (stream !== uri.endsWith('/response-streaming-invocations')) {
    throw new StartError(`ResponseTransferMode ${declaration.ResponseTransferMode} does not go with the URI ${uri}.`);
  }
  return {
    type: 'AWS_PROXY',
    target: deployment.functions.behind(uri),
    timeoutMilliseconds: Number(declaration.TimeoutInMillis ?? DEFAULT_TIMEOUT),
    stream,
  };
}
