import {
  AuthorizationType,
  type Integration,
  type MethodOptions,
  MockIntegration,
  PassthroughBehavior,
} from 'aws-cdk-lib/aws-apigateway';

const HEADERS = {
  'method.response.header.Access-Control-Allow-Origin': "'*'",
  'method.response.header.Cache-Control': "'public, max-age=3600'",
};

/** A method that serves protected resource metadata (RFC 9728 section 3.2) from the API itself, without a function. */
export function metadataMethod(metadata: Record<string, unknown>): {
  integration: Integration;
  options: MethodOptions;
} {
  return {
    integration: new MockIntegration({
      requestTemplates: { 'application/json': '{"statusCode": 200}' },
      passthroughBehavior: PassthroughBehavior.NEVER,
      integrationResponses: [
        {
          statusCode: '200',
          responseParameters: HEADERS,
          responseTemplates: { 'application/json': velocityText(JSON.stringify(metadata)) },
        },
      ],
    }),
    options: {
      // Said here, because the API's default method options may ask for more.
      authorizationType: AuthorizationType.NONE,
      apiKeyRequired: false,
      methodResponses: [
        {
          statusCode: '200',
          responseParameters: Object.fromEntries(Object.keys(HEADERS).map((header) => [header, true])),
        },
      ],
    },
  };
}

/** JSON that a Velocity template gives back as it is: `#` and `$` would begin directives and references. CDK's own placeholders stay. */
function velocityText(json: string): string {
  return json.replace(/#/g, '\\u0023').replace(/\$(?!\{Token\[)/g, '\\u0024');
}
