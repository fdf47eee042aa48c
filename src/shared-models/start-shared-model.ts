import { z } from 'zod'
import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import { trainingModelOf } from '../datasets/training-models'
import type { SharedModelBeginnings } from './begin-shared-model'
import type { CollectDeps } from './collect-contributors'
import { collectContributors } from './collect-contributors'
import { newestText, purposeId, type Purpose } from './purpose'
import {
  SHARED_MODELS_MAX,
  TENANTS_MAX,
  TENANTS_MIN,
  type SharedModel,
  type SharedModelId,
  type SharedModelOrder,
} from './shared-model'
import type { SharedModels } from './shared-models'

const MODEL_CHARACTERS_MAX = 100
const EPOCHS_MAX = 50
const BATCH_SIZE_MAX = 1_024
const RATE_MAX = 10

/** Of `POST /api/platform/shared-models`. */
export const sharedModelInput = z.strictObject({
  purpose: purposeId,
  baseModel: z.string().min(1).max(MODEL_CHARACTERS_MAX).meta({ description: 'A base model that can be trained.' }),
  suffix: z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, 'Must be 1 to 40 letters, digits, hyphens and underscores'),
  hyperparameters: z
    .strictObject({
      n_epochs: z.int().min(1).max(EPOCHS_MAX).optional(),
      batch_size: z.int().min(1).max(BATCH_SIZE_MAX).optional(),
      learning_rate_multiplier: z.number().gt(0).max(RATE_MAX).optional(),
    })
    .default({}),
  tenantsMin: z.int().min(TENANTS_MIN).max(TENANTS_MAX).meta({
    description: 'With fewer tenants it is not made, and no word is in it that fewer of them use.',
  }),
})
export type SharedModelInput = z.infer<typeof sharedModelInput>

export interface StartSharedModelDeps extends CollectDeps {
  readonly models: SharedModels
  readonly beginnings: Pick<SharedModelBeginnings, 'ask'>
  readonly clock: Clock
}

/** Has a shared model made. Repeated under the same id it is the same one. Whoever has too few consents is told at once. */
export async function startSharedModel(
  deps: StartSharedModelDeps,
  { id, by, input }: { id: SharedModelId; by: string; input: SharedModelInput },
): Promise<SharedModel | Problem> {
  const purpose = await deps.purposes.get(input.purpose)
  if (!purpose) return invalid('purpose', 'names no purpose: GET /api/platform/purposes lists them')
  if (!trainingModelOf(input.baseModel)?.methods.includes('supervised'))
    return invalid('baseModel', 'is no base model that can be trained on conversations')
  const { purpose: purposeId, hyperparameters, ...rest } = input
  const given = Object.entries(hyperparameters).filter((pair): pair is [string, number] => pair[1] !== undefined)
  const order: SharedModelOrder = { ...rest, purposeId, hyperparameters: Object.fromEntries(given) }
  const known = await deps.models.get(id)
  if (known) return known
  const contributors = await collectContributors(deps, purpose, id)
  if (contributors.length < order.tenantsMin) return tooFew(contributors.length, order.tenantsMin)
  const model = newSharedModel({ id, by, order, purpose, atMs: deps.clock.now() })
  return insertAndBegin(deps, model)
}

export const tooFew = (found: number, tenantsMin: number) =>
  new Problem(
    'too_few_consents',
    `${found} active tenants consent to the newest text of the purpose with data that may be in its region; ${tenantsMin} are needed.`,
  )

export async function insertAndBegin(
  { models, beginnings }: Pick<StartSharedModelDeps, 'models' | 'beginnings'>,
  model: SharedModel,
): Promise<SharedModel | Problem> {
  let count = 0
  for await (const each of models.list()) count += each.id ? 1 : 0
  if (count >= SHARED_MODELS_MAX)
    return new Problem('conflict', `There are ${SHARED_MODELS_MAX} shared models, the most.`)
  await models.insert(model)
  await beginnings.ask(model.id)
  return (await models.get(model.id)) ?? model
}

export const newSharedModel = ({
  id,
  by,
  order,
  purpose,
  atMs,
  grants = [],
  supersedes,
}: {
  id: SharedModelId
  by: string
  order: SharedModelOrder
  purpose: Purpose
  atMs: number
  grants?: SharedModel['grants']
  supersedes?: SharedModelId | undefined
}): SharedModel => ({
  id,
  createdAt: atMs,
  by,
  order,
  textVersion: newestText(purpose).version,
  region: purpose.region,
  state: { kind: 'building' },
  contributors: [],
  grants,
  ...(supersedes === undefined ? {} : { supersedes }),
})

const invalid = (param: string, message: string) =>
  new Problem('invalid_request', `${param} ${message}`, { param, errors: [{ path: param, message }] })
