import { modelFacts } from '../model-catalogue'
import { ACCOUNT_TYPE } from './account-view'
import { isProvisioned } from './deployable-models'
import { provisioningState, type StoredDeployment } from './stored-resource'

export const DEPLOYMENT_TYPE = `${ACCOUNT_TYPE}/deployments`

/** As ARM shows it. */
export function shownDeployment(deployment: StoredDeployment): object {
  const { id, name, sku, model, phase, tags } = deployment
  return {
    id,
    name,
    type: DEPLOYMENT_TYPE,
    sku,
    tags,
    properties: {
      model,
      versionUpgradeOption: deployment.versionUpgradeOption,
      raiPolicyName: deployment.raiPolicyName,
      currentCapacity: sku.capacity,
      ...(deployment.spilloverDeploymentName === undefined
        ? {}
        : { spilloverDeploymentName: deployment.spilloverDeploymentName }),
      provisioningState: provisioningState(phase),
      ...(isProvisioned(sku.name) ? {} : { rateLimits: rateLimits(deployment) }),
      ...(phase.kind === 'failed' ? { error: phase.failure } : {}),
    },
  }
}

const MINUTE_SECONDS = 60

const rateLimits = ({ sku: { capacity }, model }: StoredDeployment) => [
  {
    key: 'request',
    renewalPeriod: MINUTE_SECONDS,
    count: Math.max(1, Math.ceil(capacity * modelFacts(model.name).requestsPerThousandTokens)),
  },
  { key: 'token', renewalPeriod: MINUTE_SECONDS, count: capacity * 1_000 },
]
