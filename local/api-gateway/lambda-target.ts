import type { LambdaFunction } from '../lambda/function';
import { StartError } from '../start-error';

/** Finds functions by ARN: by their own, or by one that API Gateway's URIs wrap around it. */
export class LambdaTargets {
  readonly #functions = new Map<string, LambdaFunction>();

  add(functionArn: string, target: LambdaFunction): void {
    this.#functions.set(functionArn, target);
  }

  get(functionArn: string): LambdaFunction | undefined {
    return this.#functions.get(functionArn);
  }

  all(): LambdaFunction[] {
    return [...this.#functions.values()];
  }

  /**
   * The function behind `arn:aws:apigateway:...:lambda:path/.../functions/<arn>/invocations` or a plain function ARN.
   *
   * @throws StartError where there is none
   */
  behind(uri: string): LambdaFunction {
    const [, functionArn = uri] = /\/functions\/(.+)\/(?:response-streaming-)?invocations$/.exec(uri) ?? [];
    const found = this.#functions.get(functionArn);
    if (!found) throw new StartError(`There is no Lambda function behind ${uri}.`);
    return found;
  }
}
