import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type RequestAnalysis, runSimulation } from '@cloud-copilot/iam-simulate';
import { AwsError } from './aws-error';
import type { Caller } from './caller';
import { assertKnownConditions, globalContext } from './condition-keys';
import { isSignedBy, parseAuthorization } from './signature';

/** One use of a permission; a batch over two tables is two of them. */
export interface RecordedCall {
  readonly functionName: string;
  readonly service: string;
  /** As IAM writes it, for example `dynamodb:GetItem`. */
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  /** The statements of the caller's role that allow it. */
  readonly statements: readonly StatementReference[];
}

/** A statement of a policy that `addCaller` was given. */
export interface StatementReference {
  readonly policy: object;
  /** From 0. */
  readonly index: number;
}

/** What a call needs a permission for. */
export interface Access {
  readonly action: string;
  readonly resource: string;
  /** The service's own condition keys (the global ones are added). */
  readonly context?: Readonly<Record<string, string | string[]>>;
  /** The resource's own policy. */
  readonly resourcePolicy?: object;
}

interface Principal extends Caller {
  readonly policies: readonly object[];
  readonly roleId: string;
}

/** Knows every function's credentials and role, and judges each AWS call against that role as IAM does. */
export class AccessControl {
  readonly region: string;
  readonly account: string;
  readonly calls: RecordedCall[] = [];
  private readonly principals = new Map<string, Principal>();

  constructor(options: { region: string; account: string }) {
    this.region = options.region;
    this.account = options.account;
  }

  /**
   * Makes credentials for a function.
   * @param options.policies identity policy documents of the role, without intrinsic functions
   * @throws Error where a policy has a condition that cannot be judged here
   */
  addCaller(options: { functionName: string; roleArn: string; policies: object[] }): Caller {
    for (const policy of options.policies) assertKnownConditions(policy, `the role of ${options.functionName}`);
    const caller = {
      functionName: options.functionName,
      roleArn: options.roleArn,
      accessKeyId: `ASIA${randomText(16)}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(192).toString('base64'),
    };
    const roleId = `AROA${randomText(17)}`;
    this.principals.set(caller.accessKeyId, { ...caller, policies: options.policies, roleId });
    return caller;
  }

  /**
   * Whose call it is.
   * @throws AwsError MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException or InvalidSignatureException
   */
  async authenticate(
    service: string,
    request: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer },
  ): Promise<Caller> {
    const { authorization } = request.headers;
    if (!authorization) throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
    const claim = parseAuthorization(authorization);
    if (!claim) {
      throw new AwsError('IncompleteSignatureException', 'The Authorization header is not of Signature Version 4.');
    }
    const principal = this.principals.get(claim.accessKeyId);
    if (!principal || request.headers['x-amz-security-token'] !== principal.sessionToken) {
      throw new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.');
    }
    if (!(await isSignedBy(principal, { service, region: this.region }, request))) {
      throw new AwsError(
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided. ' +
          'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      );
    }
    return principal;
  }

  /**
   * Records the use of a permission.
   * @throws AwsError AccessDeniedException where the role or the resource's policy does not allow it
   */
  async authorize(caller: Caller, access: Access): Promise<void> {
    const principal = this.principals.get(caller.accessKeyId)!;
    const user = sessionArn(principal);
    const simulation = await runSimulation(
      {
        request: {
          principal: user,
          action: access.action,
          resource: { resource: access.resource, accountId: this.account },
          contextVariables: { ...globalContext(this, principal), ...access.context },
        },
        identityPolicies: principal.policies.map((policy, index) => ({ name: String(index), policy })),
        // The account is in no organization: there are neither service nor resource control policies.
        serviceControlPolicies: [],
        resourceControlPolicies: [],
        resourcePolicy: access.resourcePolicy,
      },
      {},
    );
    const allowed = simulation.resultType !== 'error' && simulation.overallResult === 'Allowed';
    const { functionName } = principal;
    const { action, resource } = access;
    const analysis = simulation.resultType === 'single' ? simulation.result.analysis.identityAnalysis : undefined;
    const statements = (allowed ? (analysis?.allowStatements ?? []) : []).map(({ policyId, statement }) => ({
      policy: principal.policies[Number(policyId)]!,
      index: statement.index() - 1,
    }));
    this.calls.push({ functionName, service: action.split(':')[0]!, action, resource, allowed, statements });
    if (allowed) return;
    const because =
      simulation.resultType === 'single'
        ? reason(simulation.result.analysis, action)
        : `because the policies cannot be evaluated: ${JSON.stringify('errors' in simulation ? simulation.errors : simulation.results)}`;
    throw new AwsError(
      'AccessDeniedException',
      `User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${because}`,
    );
  }
}

/** The words of https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
function reason(analysis: RequestAnalysis, action: string): string {
  if (analysis.identityAnalysis?.result === 'ExplicitlyDenied') {
    return 'with an explicit deny in an identity-based policy';
  }
  if (analysis.result === 'ExplicitlyDenied') return 'with an explicit deny in a resource-based policy';
  return `because no identity-based policy allows the ${action} action`;
}

/** The principal of a function's calls: its role, with the function's name as session name. */
function sessionArn({ roleArn, functionName }: Caller): string {
  const [, , , , account, role] = roleArn.split(':');
  return `arn:aws:sts::${account}:assumed-role/${role!.split('/').at(-1)}/${functionName}`;
}

function randomText(length: number): string {
  return randomUUID().replaceAll('-', '').slice(0, length).toUpperCase();
}
