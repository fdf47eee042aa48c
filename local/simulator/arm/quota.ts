import { isTunedName } from '../fine-tuning/trainable-models'
import { modelFacts } from '../model-catalogue'
import { ArmError } from './arm-answer'
import type { ArmConfig, DeploymentSku } from './arm-config'
import type { ArmStore } from './arm-store'
import { isProvisioned } from './deployable-models'
import type { StoredAccount, StoredDeployment } from './stored-resource'

/** What a deployment wants of its subscription's quota. */
interface Wanted {
  readonly account: StoredAccount
  readonly model: string
  readonly sku: DeploymentSku
  readonly capacity: number
  /** The deployment itself, whose present capacity is not counted against it. */
  readonly id: string
}

/** Throws ARM's 400 where the subscription has not this much left for the model and sku in the region. */
export function checkQuota(store: ArmStore, quotas: ArmConfig['quotas'], wanted: Wanted): void {
  const { account, sku, capacity } = wanted
  const model = quotaModel(wanted.model)
  const limit = quotaOf(quotas, { region: account.location, model, sku })
  if (limit === undefined) return
  const used = usedOf(store, wanted)
  if (used + capacity <= limit) return
  const name = isProvisioned(sku) ? 'Provisioned Managed Throughput Unit' : `Tokens Per Minute (thousands) - ${model}`
  throw new ArmError(
    400,
    'InsufficientQuota',
    `This operation require ${capacity} new capacity in quota ${name}, which is bigger than the current available capacity ${Math.max(0, limit - used)}. The current quota usage is ${used} and the quota limit is ${limit} for quota ${name}.`,
  )
}

/** What a model is counted as: the tuned ones of a family together, apart from their base. */
export function quotaModel(model: string): string {
  return isTunedName(model) ? `${modelFacts(model).name}-finetune` : model
}

/** Undefined where nothing bounds it. */
function quotaOf(quotas: ArmConfig['quotas'], wanted: { region: string; model: string; sku: string }) {
  const fits = (rule: string, value: string) => rule === '*' || rule.toLowerCase() === value.toLowerCase()
  return quotas.find(
    ({ region, model, sku }) => fits(region, wanted.region) && fits(model, wanted.model) && fits(sku, wanted.sku),
  )?.capacity
}

interface Place {
  readonly subscription: string
  readonly region: string
}

/** Deployments of deleted accounts count until those are purged. */
function deploymentsIn(store: ArmStore, { subscription, region }: Place): StoredDeployment[] {
  const isHere = (account: StoredAccount) =>
    account.location === region && account.subscription.toLowerCase() === subscription.toLowerCase()
  const places = [
    ...store.list('account').map((account) => ({ account, deployments: store.deploymentsOf(account.id) })),
    ...store.deleted,
  ]
  return places
    .filter(({ account }) => isHere(account))
    .flatMap(({ deployments }) => deployments.filter(({ phase }) => phase.kind !== 'failed'))
}

function usedOf(store: ArmStore, { account: { subscription, location: region }, model, sku, id }: Wanted): number {
  const isAlike = (other: StoredDeployment) =>
    quotaModel(other.model.name) === quotaModel(model) &&
    other.sku.name === sku &&
    other.id.toLowerCase() !== id.toLowerCase()
  return total(deploymentsIn(store, { subscription, region }).filter(isAlike))
}

const total = (deployments: readonly StoredDeployment[]) =>
  deployments.reduce((sum, { sku: { capacity } }) => sum + capacity, 0)

/** Each model and sku that has been deployed in a place, as ARM lists usages. */
export function usagesIn(store: ArmStore, quotas: ArmConfig['quotas'], place: Place): object[] {
  const groups = Object.groupBy(
    deploymentsIn(store, place),
    ({ sku, model }) => `OpenAI.${sku.name}.${quotaModel(model.name)}`,
  )
  return Object.entries(groups).flatMap(([value, deployments = []]) => {
    const [first] = deployments
    if (!first) return []
    const limit = quotaOf(quotas, { region: place.region, model: quotaModel(first.model.name), sku: first.sku.name })
    return [
      { name: { value, localizedValue: value }, unit: 'Count', currentValue: total(deployments), limit: limit ?? -1 },
    ]
  })
}
