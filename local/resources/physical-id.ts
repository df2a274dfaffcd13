import { createHash } from 'node:crypto';

/** The id of an API, a route, an authorizer and so on: the same in every run, as long as the template names it the same. */
export function shortId(stack: string, logicalId: string, length = 10): string {
  const digest = createHash('sha256').update(`${stack}/${logicalId}`).digest();
  return BigInt(`0x${digest.toString('hex')}`)
    .toString(36)
    .slice(0, length);
}

/** A name in the manner of CloudFormation: stack, logical id and a suffix, within the length that the service allows. */
export function physicalName(stack: string, logicalId: string, longest: number): string {
  const suffix = shortId(stack, logicalId, 12).toUpperCase();
  return `${`${stack}-${logicalId}`.slice(0, longest - suffix.length - 1)}-${suffix}`;
}
