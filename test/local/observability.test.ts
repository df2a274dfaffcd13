import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startStack } from '../../local/start';
import { writeAssembly } from './fixtures/assembly';

const ACCOUNT = 'us-east-1:123456789012';

/** As the CDK writes them for `alarms` and `dashboard`, with the topic of the same app. */
const resources = {
  Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'Alarms' } },
  Mail: {
    Type: 'AWS::SNS::Subscription',
    Properties: { TopicArn: { Ref: 'Topic' }, Protocol: 'email', Endpoint: 'ops@example.com' },
  },
  Alarm: {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmActions: [{ Ref: 'Topic' }],
      MetricName: 'RequestsFailed',
      Namespace: 'McpOidcAuth',
      Threshold: 1,
    },
  },
  Dashboard: {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: { DashboardBody: { 'Fn::Join': ['', ['{"alarms":["', { 'Fn::GetAtt': ['Alarm', 'Arn'] }, '"]}']] } },
  },
};

describe('alarms, dashboards and topics', () => {
  test('have no effect, and can be referred to', async () => {
    const outputs = {
      Topic: { Value: { Ref: 'Topic' } },
      Alarm: { Value: { 'Fn::GetAtt': ['Alarm', 'Arn'] } },
      Dashboard: { Value: { Ref: 'Dashboard' } },
    };
    const assembly = writeAssembly({ Fixture: { resources, outputs } });
    const stack = await startStack({ assembly, stateDirectory: join(assembly, 'state') });
    await stack.close();
    expect(stack.outputs).toEqual({
      Topic: expect.stringMatching(new RegExp(`^arn:aws:sns:${ACCOUNT}:Fixture-Topic-\\w+$`)),
      Alarm: expect.stringMatching(new RegExp(`^arn:aws:cloudwatch:${ACCOUNT}:alarm:Fixture-Alarm-\\w+$`)),
      Dashboard: expect.stringMatching(/^Fixture-Dashboard-\w+$/),
    });
  });
});
