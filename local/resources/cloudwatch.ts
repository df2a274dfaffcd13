import { arn } from '../account';
import { physicalName } from './physical-id';
import type { ResourceType } from './resource-type';

/** They are there, so that others may refer to them, and see nothing: there are no metrics here. */
export const CLOUDWATCH: Record<string, ResourceType> = {
  'AWS::CloudWatch::Alarm': {
    properties: ['AlarmName'],
    create({ stack, logicalId, properties }) {
      const name = String(properties.AlarmName ?? physicalName(stack.name, logicalId, 255));
      return { ref: name, attributes: { Arn: arn('cloudwatch', `alarm:${name}`) } };
    },
  },
  'AWS::CloudWatch::Dashboard': {
    properties: ['DashboardName'],
    create: ({ stack, logicalId, properties }) => ({
      ref: String(properties.DashboardName ?? physicalName(stack.name, logicalId, 255)),
      attributes: {},
    }),
  },
};
