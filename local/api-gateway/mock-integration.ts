import { StartError } from '../start-error';
import { type ApiRequest, headerValues } from './request';
import type { ApiResponse } from './response';

export interface MockResponse {
  readonly statusCode: number;
  /** A regular expression on the status code that the request template gives; absent = the default response. */
  readonly selectionPattern?: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly contentType: string;
  readonly body: string;
}

/** What `Integration` and `MethodResponses` of an `AWS::ApiGateway::Method` say about a mock integration. */
export interface MockDeclaration {
  readonly RequestTemplates?: Record<string, string>;
  readonly PassthroughBehavior?: string;
  readonly IntegrationResponses?: readonly {
    readonly StatusCode: string;
    readonly SelectionPattern?: string;
    readonly ResponseParameters?: Record<string, string>;
    readonly ResponseTemplates?: Record<string, string>;
  }[];
}

export interface MethodResponse {
  readonly StatusCode: string;
  readonly ResponseParameters?: Record<string, boolean>;
}

/** An integration that answers by itself, with static templates. */
export class MockIntegration {
  readonly type = 'MOCK';
  readonly #requestTemplates: Record<string, string>;
  readonly #passThrough: boolean;
  readonly #responses: readonly MockResponse[];

  /** @throws StartError where a template is not static, or a header is mapped that the method's response does not declare */
  constructor(declaration: MockDeclaration, methodResponses: readonly MethodResponse[]) {
    this.#requestTemplates = declaration.RequestTemplates ?? {};
    for (const template of Object.values(this.#requestTemplates)) requireStatic(template);
    this.#passThrough = (declaration.PassthroughBehavior ?? 'WHEN_NO_MATCH') === 'WHEN_NO_MATCH';
    this.#responses = (declaration.IntegrationResponses ?? []).map((response) => {
      const templates = Object.entries(response.ResponseTemplates ?? {});
      if (templates.length > 1)
        throw new StartError('A mock integration with several response templates is not known.');
      const [contentType, body] = templates[0] ?? ['application/json', ''];
      requireStatic(body);
      return {
        statusCode: Number(response.StatusCode),
        ...(response.SelectionPattern ? { selectionPattern: response.SelectionPattern } : {}),
        headers: mappedHeaders(response.StatusCode, response.ResponseParameters ?? {}, methodResponses),
        contentType,
        body,
      };
    });
  }

  /** @returns the response, or the gateway response that is given instead */
  respond(request: ApiRequest): ApiResponse | 'UNSUPPORTED_MEDIA_TYPE' | 'API_CONFIGURATION_ERROR' {
    const contentType = headerValues(request, 'content-type')[0]?.split(';')[0]?.trim() ?? 'application/json';
    const template = this.#requestTemplates[contentType];
    if (template === undefined && !this.#passThrough) return 'UNSUPPORTED_MEDIA_TYPE';
    const [, status] = /["']?statusCode["']?\s*:\s*["']?(\d{3})/.exec(template ?? request.body.toString()) ?? [];
    const response =
      status === undefined
        ? undefined
        : (this.#responses.find(({ selectionPattern }) => selectionPattern && matches(selectionPattern, status)) ??
          this.#responses.find(({ selectionPattern }) => selectionPattern === undefined));
    if (!response) return 'API_CONFIGURATION_ERROR';
    const typed = response.headers.some(([name]) => name.toLowerCase() === 'content-type');
    return {
      statusCode: response.statusCode,
      headers: [...(typed ? [] : [['Content-Type', response.contentType] as const]), ...response.headers],
      body: Buffer.from(response.body),
    };
  }
}

function matches(pattern: string, status: string): boolean {
  return new RegExp(`^(?:${pattern})$`).test(status);
}

function requireStatic(template: string): void {
  const code = /[$#]\{?!?\w+/.exec(template);
  if (code)
    throw new StartError(`"${code[0]}" in the template of a mock integration is not known here: static text is.`);
}

function mappedHeaders(
  status: string,
  parameters: Record<string, string>,
  methodResponses: readonly MethodResponse[],
): [string, string][] {
  const declared = methodResponses.find(({ StatusCode }) => String(StatusCode) === String(status));
  if (!declared) throw new StartError(`The mock integration answers ${status}, which no method response declares.`);
  return Object.entries(parameters).map(([target, expression]) => {
    if (declared.ResponseParameters?.[target] === undefined) {
      throw new StartError(
        `The mock integration maps ${target}, which the method response ${status} does not declare.`,
      );
    }
    const [, name] = /^method\.response\.header\.(.+)$/.exec(target) ?? [];
    const [, value] = /^'([\s\S]*)'$/.exec(expression) ?? [];
    if (!name || value === undefined) throw new StartError(`The mapping ${target}: ${expression} is not known here.`);
    return [name, value];
  });
}
