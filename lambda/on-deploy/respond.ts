import { setTimeout as delay } from 'node:timers/promises';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';

/** What became of a request of CloudFormation. */
export type Outcome =
  | { readonly Status: 'SUCCESS'; readonly PhysicalResourceId: string }
  | { readonly Status: 'FAILED'; readonly PhysicalResourceId: string; readonly Reason: string };

const ATTEMPTS = 4;

/**
 * Tells CloudFormation the outcome, through the presigned URL that came with the request
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html). It waits for up to an hour if it hears nothing.
 *
 * @throws Error where the answer could not be delivered, so that Lambda repeats the whole request
 */
export async function respond(event: CloudFormationCustomResourceEvent, outcome: Outcome): Promise<void> {
  const { StackId, RequestId, LogicalResourceId } = event;
  const body = JSON.stringify({ StackId, RequestId, LogicalResourceId, ...outcome });
  for (let attempt = 1; ; attempt++) {
    try {
      // The signature covers an empty content type.
      const response = await fetch(event.ResponseURL, { method: 'PUT', headers: { 'content-type': '' }, body });
      if (response.ok) {
        return;
      }
      throw new Error(`CloudFormation's ResponseURL answered ${response.status}.`);
    } catch (error) {
      if (attempt === ATTEMPTS) {
        throw error;
      }
      await delay(200 * 2 ** attempt);
    }
  }
}
