import { CfnGatewayResponse, GatewayResponse, ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import { EXPOSED_HEADERS } from './cors';
import type { Protection } from './protection';
import { refuse } from './validation';

interface RestChallengesProps {
  readonly api: RestApi;
  readonly protection: Protection;
}

/**
 * The gateway responses that tell an MCP client what it lacks. They are the only place on API Gateway that can send `WWW-Authenticate`, which it
 * renames when a function sends it. Their headers are fixed at deployment, so the 403 challenge names every scope that a call can need.
 */
export class RestChallenges extends Construct {
  private readonly api: RestApi;

  constructor(scope: Construct, id: string, { api, protection }: RestChallengesProps) {
    super(scope, id);
    this.api = api;
    const metadata = `resource_metadata="${protection.metadataUrl}"`;
    const needed = protection.neededScopes.join(' ');

    // RFC 6750 section 3.1: without an error code in the header, because the request may have come without a token.
    const bearer = `Bearer ${metadata}, scope="${protection.minimumScopes.join(' ')}"`;
    this.respond(ResponseType.UNAUTHORIZED, '401', {
      headers: { 'WWW-Authenticate': [bearer, protection.dpopChallenge].filter(Boolean).join(', ') },
      error: 'invalid_token',
      description: 'This resource needs an access token that is meant for it and has not expired.',
    });
    this.respond(ResponseType.ACCESS_DENIED, '403', {
      headers: { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${needed}", ${metadata}` },
      error: 'insufficient_scope',
      description: 'The access token lacks a scope that this call needs.',
    });
    for (const type of [ResponseType.AUTHORIZER_FAILURE, ResponseType.AUTHORIZER_CONFIGURATION_ERROR]) {
      // An outage is no verdict about the token: clients throw their credentials away on those.
      this.respond(type, '503', {
        headers: { 'Retry-After': '5' },
        error: 'temporarily_unavailable',
        description: 'The access token cannot be checked at the moment. Try again later.',
      });
    }
    // Looked for at synth, because others may come later.
    this.node.addValidation({ validate: () => this.others().map((other) => this.conflict(other)) });
  }

  private respond(
    type: ResponseType,
    statusCode: string,
    response: { headers: Record<string, string>; error: string; description: string },
  ): void {
    const headers = {
      ...response.headers,
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Expose-Headers': EXPOSED_HEADERS.join(', '),
    };
    new GatewayResponse(this, type.responseType, {
      restApi: this.api,
      type,
      statusCode,
      responseHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, quoted(value)])),
      templates: {
        'application/json': JSON.stringify({ error: response.error, error_description: response.description }),
      },
    });
  }

  /** Gateway responses of the same types on the same API that are not ours. */
  private others(): CfnGatewayResponse[] {
    const all = this.node.root.node.findAll().filter((child) => child instanceof CfnGatewayResponse);
    const ours = all.filter((response) => response.node.scopes.includes(this));
    const types = ours.map((response) => response.responseType);
    return all.filter(
      (response) =>
        !ours.includes(response) &&
        types.includes(response.responseType) &&
        // The reference itself: resolved, it would look like that of an API with the same name in another stack.
        response.restApiId === this.api.restApiId,
    );
  }

  private conflict(other: CfnGatewayResponse): string {
    return `McpOidcAuth: ${this.api.node.path} must leave ${other.responseType} responses to protectRestApi, got one at ${other.node.path}.`;
  }
}

/** A static value in a parameter mapping. API Gateway has no way to write a quote inside one. */
function quoted(value: string): string {
  if (value.includes("'")) {
    refuse(`scopes and identifier on a REST API must be without single quotes, got ${value}.`);
  }
  return `'${value}'`;
}
