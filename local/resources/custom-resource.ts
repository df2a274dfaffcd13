import { StartError } from '../start-error';
import type { ResourceType } from './resource-type';

export const CUSTOM_RESOURCE: ResourceType = {
  properties: ['*'],
  create({ type, stackId, logicalId, properties }, deployment) {
    const target = deployment.functions.get(String(properties.ServiceToken));
    if (!target) throw new StartError(`There is no Lambda function ${properties.ServiceToken} (ServiceToken).`);
    return deployment.customResources.create({ type, stackId, logicalId, properties, target });
  },
};
