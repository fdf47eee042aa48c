import { resourceNotFound, invalidRequest } from './errors'
import type { Exchange } from './exchange'
import { trainableModel } from './fine-tuning/trainable-models'
import type { TunedModel } from './fine-tuning/tuned-model'
import { knownModels, modelFacts, type ModelFacts } from './model-catalogue'
import type { ModelAccount } from './model-account'
import type { Family } from './route'

const CREATED_SECONDS = 1_744_588_800
/** Two years after the catalogue's newest models, so that no client drops one as deprecated. */
const RETIRES_SECONDS = 1_861_920_000

/** Serves the model lists: base models of the resource on Azure's paths, deployments on a compatible endpoint. */
export function serveModels(of: ModelsOf, exchange: Exchange, route: { family: Family; id: string | undefined }) {
  const models = listModels(of, route.family)
  if (route.id === undefined) return exchange.json(200, JSON.stringify({ object: 'list', data: models }))
  const found = models.find(({ id }) => id === route.id)
  if (found !== undefined) return exchange.json(200, JSON.stringify(found))
  return exchange.refuse(route.family === 'compatible' ? unknownModel(route.id) : resourceNotFound)
}

export interface ModelsOf {
  readonly account: ModelAccount
  /** With checkpoints. */
  readonly tuned: readonly TunedModel[]
}

function listModels({ account, tuned }: ModelsOf, family: Family): { id: string }[] {
  switch (family) {
    case 'classic':
      return [...knownModels().map(classicModel), ...tuned.map(classicTuned)]
    case 'v1':
      return [...knownModels().map(({ name }) => openaiModel(name, 'system')), ...tuned.map(openaiTuned)]
    case 'compatible':
      return [...account.deployments].map(({ name }) => openaiModel(name, 'simulator'))
  }
}

function classicModel({ name, kind, responsesOnly }: ModelFacts) {
  return {
    id: name,
    object: 'model',
    status: 'succeeded',
    created_at: CREATED_SECONDS,
    capabilities: {
      fine_tune: trainableModel(name) !== undefined,
      inference: true,
      completion: kind === 'completions',
      chat_completion: (kind === 'chat' || kind === 'reasoning') && !responsesOnly,
      embeddings: kind === 'embeddings',
    },
    lifecycle_status: 'generally-available',
    deprecation: { inference: RETIRES_SECONDS },
  }
}

/** What a resource has trained names its base and its job. */
function classicTuned({ id, base, jobId, createdAt }: TunedModel) {
  const { capabilities, ...shown } = classicModel({ ...modelFacts(base), name: id })
  const seconds = Math.floor(createdAt / 1_000)
  return {
    ...shown,
    created_at: seconds,
    capabilities: { ...capabilities, fine_tune: true },
    model: base,
    fine_tune: jobId,
  }
}

const openaiTuned = ({ id, createdAt }: TunedModel) => ({
  ...openaiModel(id, 'fine-tuned'),
  created: Math.floor(createdAt / 1_000),
})

function openaiModel(id: string, owner: string) {
  return { id, object: 'model', created: CREATED_SECONDS, owned_by: owner }
}

const unknownModel = (id: string) =>
  invalidRequest(`The model '${id}' does not exist`, { status: 404, param: 'model', code: 'model_not_found' })
