/** A function with the credentials that Lambda would give it. */
export interface Caller {
  functionName: string;
  roleArn: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}
