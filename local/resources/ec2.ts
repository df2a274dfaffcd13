import { shortId } from './physical-id';
import type { ResourceType } from './resource-type';

export const EC2: Record<string, ResourceType> = {
  'AWS::EC2::SecurityGroup': {
    properties: [],
    create({ stack, logicalId }) {
      const id = `sg-${shortId(stack.name, logicalId, 17)}`;
      return { ref: id, attributes: { GroupId: id } };
    },
  },
};
