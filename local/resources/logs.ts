import { arn } from '../account';
import { physicalName } from './physical-id';
import type { ResourceType } from './resource-type';

export const LOGS: Record<string, ResourceType> = {
  'AWS::Logs::LogGroup': {
    properties: ['LogGroupName'],
    create({ stack, logicalId, properties }, deployment) {
      const name = String(properties.LogGroupName ?? physicalName(stack.name, logicalId, 512));
      deployment.logGroups.add(name);
      return { ref: name, attributes: { Arn: `${arn('logs', `log-group:${name}`)}:*` } };
    },
  },
};
