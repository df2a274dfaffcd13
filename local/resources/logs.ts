import { arn } from '../account';
import { physicalName } from './physical-id';
import type { ResourceType } from './resource-type';

export const LOGS: Record<string, ResourceType> = {
  'AWS::Logs::LogGroup': {
    properties: ['LogGroupName'],
    create({ stack, logicalId, properties }) {
      const name = String(properties.LogGroupName ?? physicalName(stack.name, logicalId, 512));
      return { ref: name, attributes: { Arn: `${arn('logs', `log-group:${name}`)}:*` } };
    },
  },
};
