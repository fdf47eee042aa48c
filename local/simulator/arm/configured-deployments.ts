import type { SimulatorConfig } from '../config'
import { modelFacts } from '../model-catalogue'
import { ROOT_ACCOUNT } from './arm-config'
import type { ArmStore } from './arm-store'
import type { StoredDeployment } from './stored-resource'

/** What stands for a deployment without a limit. */
const UNLIMITED_CAPACITY = 1_000_000

/** The deployments that the root account has by the configuration, as if they had been made through ARM. */
export function configuredDeployments(
  { deployments }: SimulatorConfig,
  store: ArmStore,
  accountId: string,
): StoredDeployment[] {
  const account = store.get('account', accountId)
  if (!account || account.name.toLowerCase() !== ROOT_ACCOUNT) return []
  return Object.entries(deployments).map(([name, { model, admission }]) => {
    const family = modelFacts(model).name
    const version = model.startsWith(`${family}-`) ? model.slice(family.length + 1) : '1'
    return {
      kind: 'deployment',
      id: `${account.id}/deployments/${name}`,
      name,
      accountId: account.id,
      sku: skuOf(admission),
      model: { format: 'OpenAI', name: family, version },
      versionUpgradeOption: 'NoAutoUpgrade',
      raiPolicyName: 'Microsoft.DefaultV2',
      spilloverDeploymentName: undefined,
      tags: {},
      createdAt: account.createdAt,
      phase: { kind: 'ready' },
    }
  })
}

function skuOf(admission: SimulatorConfig['deployments'][string]['admission']): StoredDeployment['sku'] {
  switch (admission.kind) {
    case 'unlimited':
      return { name: 'GlobalStandard', capacity: UNLIMITED_CAPACITY }
    case 'standard':
      return { name: 'GlobalStandard', capacity: Math.ceil(admission.tokensPerMinute / 1_000) }
    case 'batch':
      return { name: 'GlobalBatch', capacity: Math.ceil(admission.enqueuedTokensMax / 1_000) }
    case 'provisioned':
      return { name: 'ProvisionedManaged', capacity: admission.units }
  }
}
