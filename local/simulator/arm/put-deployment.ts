import { z } from 'zod'
import { COGNITIVE } from './account-view'
import { isTunedName } from '../fine-tuning/trainable-models'
import { findAccount } from './accounts'
import { ArmError, type ArmAnswer, type ArmCall } from './arm-answer'
import { deploymentSkus, type DeploymentSku } from './arm-config'
import type { ArmDeps } from './arm-deps'
import type { ArmStore } from './arm-store'
import { capacityBounds, deployableVersion } from './deployable-models'
import { shownDeployment } from './deployment-view'
import { checkQuota } from './quota'
import { readArmBody } from './read-arm-body'
import { beginMaking, madeAnswer } from './slow-change'
import type { StoredAccount, StoredDeployment } from './stored-resource'
import { readTunedModel } from './tuned-source'

/** Source: Azure's naming rules for deployments. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}[a-zA-Z0-9]$/
/** Standard deployments of one account. Source: the quotas page of Azure OpenAI, 2026-02. */
const DEPLOYMENTS_MAX = 32
const TUNED_DEPLOYMENTS_MAX = 10

const deploymentBody = z.looseObject({
  sku: z.looseObject({ name: z.string(), capacity: z.int().min(1).default(1) }),
  tags: z.record(z.string(), z.string()).default({}),
  properties: z.looseObject({
    model: z.looseObject({
      format: z.string().default('OpenAI'),
      name: z.string().min(1),
      version: z.string().optional(),
      source: z.string().startsWith('/').optional(),
    }),
    versionUpgradeOption: z
      .enum(['OnceNewDefaultVersionAvailable', 'OnceCurrentVersionExpired', 'NoAutoUpgrade'])
      .default('OnceNewDefaultVersionAvailable'),
    raiPolicyName: z.string().default('Microsoft.DefaultV2'),
    spilloverDeploymentName: z.string().optional(),
  }),
})

/** Makes a deployment or changes one. */
export async function putDeployment(deps: ArmDeps, call: ArmCall): Promise<ArmAnswer> {
  const { store, config } = deps
  const account = findAccount(store, call.params['account'] ?? '')
  const { sku: asked, tags, properties } = readArmBody(deploymentBody, call.body)
  const { name = '' } = call.params
  if (!NAME.test(name)) throw new ArmError(400, 'InvalidResourceName', `'${name}' is not a valid deployment name.`)
  if (deps.configured(account.id).some((known) => known.name === name)) throw isConfigured()
  const before = store.get('deployment', call.id)
  checkAccountIsIdle(store, account)
  const tuned = readTunedModel(deps, call, { account, version: undefined, source: undefined, ...properties.model })
  const model = tuned ?? readModel(properties.model)
  const sku = readSku(asked, model)
  if (!before) checkRoom(store, account, tuned !== undefined)
  checkQuota(store, config().quotas, { account, id: call.id, model: model.name, sku: sku.name, capacity: sku.capacity })

  const change = beginMaking(store, call, {
    delayMs: config().delayMs,
    provider: COGNITIVE,
    location: account.location,
  })
  const deployment: StoredDeployment = {
    kind: 'deployment',
    id: before?.id ?? call.id,
    name: before?.name ?? name,
    accountId: account.id,
    sku,
    model,
    versionUpgradeOption: properties.versionUpgradeOption,
    raiPolicyName: properties.raiPolicyName,
    spilloverDeploymentName: properties.spilloverDeploymentName,
    tags,
    createdAt: before?.createdAt ?? call.now,
    phase: before && change.phase.kind === 'making' ? { ...change.phase, serving: true } : change.phase,
  }
  store.put(deployment)
  await deps.deploymentChanged(deployment.id)
  return madeAnswer(before === undefined, shownDeployment(deployment), change)
}

/** What the configuration says is changed there: a deployment must not have two masters. */
export const isConfigured = () =>
  new ArmError(400, 'BadRequest', 'This deployment is in the simulator’s configuration: change it there.')

/** Throws ARM's 409 while the account or any deployment of it is being changed. */
export function checkAccountIsIdle(store: ArmStore, { id, phase }: StoredAccount): void {
  if (phase.kind !== 'ready') {
    const text = `Account ${id} in state ${phase.kind === 'making' ? 'Creating' : 'Deleting'}`
    throw new ArmError(409, 'AccountProvisioningStateInvalid', text)
  }
  const isBusy = store.deploymentsOf(id).some(({ phase: { kind } }) => kind === 'making' || kind === 'deleting')
  if (!isBusy) return
  const text = `Another operation is being performed on the parent resource '${id}'. Please try again later.`
  throw new ArmError(409, 'RequestConflict', text)
}

function readModel({ format, name, version }: { format: string; name: string; version?: string | undefined }) {
  const known = format === 'OpenAI' ? deployableVersion(name, version) : undefined
  if (known !== undefined) return { format, name, version: known }
  throw new ArmError(
    400,
    'DeploymentModelNotSupported',
    `The model 'Format:${format},Name:${name},Version:${version ?? ''}' of account deployment is not supported.`,
  )
}

function readSku(asked: { name: string; capacity: number }, model: { name: string; version: string }) {
  // ARM reads skus in any case.
  const name = deploymentSkus.find((sku) => sku.toLowerCase() === asked.name.toLowerCase())
  const bounds = name && capacityBounds(model.name, name)
  if (!name || !bounds) {
    const text = `The specified SKU '${asked.name}' of account deployment is not supported by the model '${model.name}' version '${model.version}'.`
    throw new ArmError(400, 'InvalidResourceProperties', text)
  }
  return checkCapacity({ name, capacity: asked.capacity }, bounds)
}

function checkCapacity(sku: { name: DeploymentSku; capacity: number }, { min, step }: { min: number; step: number }) {
  if (sku.capacity >= min && (sku.capacity - min) % step === 0) return sku
  const text = `The specified capacity '${sku.capacity}' of account deployment should be at least ${min} and multiple of ${step}.`
  throw new ArmError(400, 'InvalidCapacity', text)
}

function checkRoom(store: ArmStore, { id }: StoredAccount, isTuned: boolean): void {
  const deployments = store.deploymentsOf(id)
  const tuned = deployments.filter(({ model }) => isTunedName(model.name)).length
  if (isTuned && tuned >= TUNED_DEPLOYMENTS_MAX) {
    const text = `The account has ${TUNED_DEPLOYMENTS_MAX} fine-tuned deployments, which is as many as it can have.`
    throw new ArmError(400, 'QuotaExceeded', text)
  }
  if (deployments.length < DEPLOYMENTS_MAX) return
  throw new ArmError(
    400,
    'QuotaExceeded',
    `The account has ${DEPLOYMENTS_MAX} deployments, which is as many as it can have.`,
  )
}
