import { arn } from '../account';
import { physicalName } from './physical-id';
import type { ResourceType } from './resource-type';

/** Where alarms would go: there are none here. */
export const SNS: Record<string, ResourceType> = {
  'AWS::SNS::Topic': {
    properties: ['TopicName'],
    create({ stack, logicalId, properties }) {
      const name = String(properties.TopicName ?? physicalName(stack.name, logicalId, 256));
      return { ref: arn('sns', name), attributes: { TopicArn: arn('sns', name), TopicName: name } };
    },
  },
  'AWS::SNS::Subscription': {
    properties: [],
    create: ({ stack, logicalId }) => ({ ref: arn('sns', physicalName(stack.name, logicalId, 256)), attributes: {} }),
  },
};
