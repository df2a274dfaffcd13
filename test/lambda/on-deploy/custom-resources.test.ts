import { ListSecretVersionIdsCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it, vi } from 'vitest';
import { parseKeySet } from '../../../lambda/key-set/parse-key-set';
import { KEY_SET_RESOURCE_TYPE } from '../../../lib/contract';
import {
  answers,
  configure,
  context,
  keySet,
  notes,
  outages,
  request,
  resourceEvent,
  STACK,
  secretArn,
  secrets,
  secretsClient,
} from './deployment';

describe('the answer to CloudFormation', () => {
  it('names the request and has an empty content type, which the presigned URL was signed for', async () => {
    await request({ RequestType: 'Create', ResourceType: KEY_SET_RESOURCE_TYPE, RequestId: 'request-1' });
    expect(answers).toHaveLength(1);
    expect(answers[0]!.body).toEqual({
      Status: 'SUCCESS',
      PhysicalResourceId: secretArn,
      StackId: STACK,
      RequestId: 'request-1',
      LogicalResourceId: 'Notes',
    });
    expect(answers[0]!.headers['content-type'] ?? '').toBe('');
  });

  it('is repeated until it arrives', async () => {
    outages.push(503, 500);
    expect(await request({ RequestType: 'Create', ResourceType: KEY_SET_RESOURCE_TYPE })).toMatchObject({
      Status: 'SUCCESS',
    });
    expect(answers).toHaveLength(1);
  });

  it('fails the function where it cannot be delivered, so that Lambda repeats it', async () => {
    outages.push(503, 503, 503, 503);
    await expect(request({ RequestType: 'Create', ResourceType: KEY_SET_RESOURCE_TYPE })).rejects.toThrow(
      'answered 503',
    );
  });

  it('comes before the function is stopped, even where AWS does not answer', async () => {
    const late = await request(resourceEvent(notes), { ...context, getRemainingTimeInMillis: () => 10_000 });
    expect(late).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('did not answer in time') });
  });

  it('says what is wrong with an unknown type, and lets it be deleted', async () => {
    expect(await request({ RequestType: 'Create', ResourceType: 'Custom::Other' })).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('given: Custom::Other'),
    });
    const { PhysicalResourceId } = answers.at(-1)!.body;
    expect(await request({ RequestType: 'Delete', ResourceType: 'Custom::Other', PhysicalResourceId })).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId,
    });
  });

  it('is never longer than CloudFormation reads', async () => {
    await request(resourceEvent({ ...notes, scopes: [{ name: 'x y '.repeat(5000) }] }));
    expect(answers[0]!.bytes).toBeLessThan(4096);
    expect(answers[0]!.body.Reason).toContain('(log stream stream-1)');
  });
});

describe('the first key set', () => {
  const create = { RequestType: 'Create', ResourceType: KEY_SET_RESOURCE_TYPE };

  it('is made where the secret is empty', async () => {
    await request(create);
    expect(parseKeySet(await keySet()).previous).toEqual([]);
  });

  it('is made once, whether requests are repeated or come at once', async () => {
    await Promise.all([request(create), request(create), request(create)]);
    const first = await keySet();
    await request({ ...create, RequestType: 'Update', PhysicalResourceId: secretArn });
    expect(await keySet()).toBe(first);
    const { Versions } = await secretsClient.send(new ListSecretVersionIdsCommand({ SecretId: secretArn }));
    expect(Versions).toHaveLength(1);
    expect(answers.map(({ body }) => [body.Status, body.PhysicalResourceId])).toEqual(
      Array(4).fill(['SUCCESS', secretArn]),
    );
  });

  it('stays when the custom resource is deleted', async () => {
    await request(create);
    const first = await keySet();
    await request({ ...create, RequestType: 'Delete', PhysicalResourceId: secretArn });
    expect(await keySet()).toBe(first);
  });
});

describe('a secret with something else in it', () => {
  it('is not overwritten, and what it holds is not told', async () => {
    const { arn } = secrets.createSecret({ name: 'password', value: 'hunter2' });
    configure({ keySetSecretArn: arn });
    const answer = await request({ RequestType: 'Create', ResourceType: KEY_SET_RESOURCE_TYPE });
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('does not hold JSON') });
    expect(vi.mocked(console.error).mock.calls.join('\n')).toMatch(
      /"event":"custom_resource.failed".*does not hold JSON.*"type":"Custom::McpOidcAuthKeySet"/,
    );
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });
});
