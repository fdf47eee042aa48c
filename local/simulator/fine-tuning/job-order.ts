import { isJsonObject, type JsonObject } from '../json-value'
import { readChoice, readNumber, refuse, refuseType, requireField } from '../request-fields'
import { checkGrader } from './grader'
import { baseOfName, isTunedName, methodsOf, trainableModel, type TrainingMethod } from './trainable-models'
import type { TunedModel } from './tuned-model'

/** A number that was asked for, or left to the service. */
export type Chosen = number | 'auto'

/** What a job was asked for. */
export interface JobOrder {
  /** As it is shown: the base with its version, or the tuned model or checkpoint that is trained further. */
  readonly model: string
  readonly base: string
  readonly trainingFileId: string
  readonly validationFileId: string | null
  readonly method: TrainingMethod
  readonly hyperparameters: {
    readonly n_epochs: Chosen
    readonly batch_size: Chosen
    readonly learning_rate_multiplier: Chosen
  }
  /** Those that only one method has, shown as they came. */
  readonly methodParameters: JsonObject
  readonly grader: JsonObject | undefined
  readonly suffix: string | null
  readonly seed: number | undefined
  readonly trainingType: TrainingType
  readonly metadata: JsonObject | null
}

const trainingTypes = ['Standard', 'globalstandard', 'datazonestandard', 'developerTier'] as const
export type TrainingType = (typeof trainingTypes)[number]

const SUFFIX = /^[A-Za-z0-9_-]{1,40}$/
const SEED_MAX = 2_147_483_647
const METADATA_MAX = 16
const METADATA_KEY_CHARS_MAX = 64
const METADATA_VALUE_CHARS_MAX = 512
const count = (max: number) => ({ whole: true, min: 1, max })
const EPOCHS = count(50)
const BATCH = count(256)
const RATE = { whole: false, min: 0.0001, max: 10 }

/** Reads the body that asks for a job; `tuned` finds what can be trained further. Throws InvalidRequest. */
export function readJobOrder(body: JsonObject, tuned: (name: string) => TunedModel | undefined): JobOrder {
  for (const name of ['model', 'training_file']) requireField(body[name], name)
  const base = readBase(body['model'], tuned)
  const model = isTunedName(String(body['model'])) ? String(body['model']) : base
  refuseIntegrations(body['integrations'])
  const { method, options } = readMethod(body, base)
  const validationFileId = readId(body['validation_file'], 'validation_file')
  if (method === 'reinforcement') requireField(validationFileId ?? undefined, 'validation_file')
  const at = `method.${method}`
  if (method === 'reinforcement') requireField(options['grader'], `${at}.grader`)
  const grader = method === 'reinforcement' ? checkGrader(options['grader'], `${at}.grader`) : undefined
  return {
    model,
    base,
    trainingFileId: readId(body['training_file'], 'training_file') ?? '',
    validationFileId,
    method,
    ...readHyperparameters(body, { method, options }),
    grader,
    suffix: readSuffix(body['suffix']),
    seed: readNumber(body['seed'], 'seed', { whole: true, min: 0, max: SEED_MAX }),
    trainingType: readTrainingType(body['trainingType'] ?? body['training_type']),
    metadata: readMetadata(body['metadata']),
  }
}

function readBase(model: unknown, tuned: (name: string) => TunedModel | undefined): string {
  if (typeof model !== 'string') return refuseType('model', 'a string', model)
  const base = isTunedName(model) ? tuned(model) && baseOfName(model) : trainableModel(model)
  const text = `The specified base model '${model}' does not support fine-tuning or is not available in this resource.`
  return base ?? refuse(text, 'model', 'invalid_value')
}

function readId(value: unknown, param: string): string | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? value : refuseType(param, 'a string', value)
}

function refuseIntegrations(value: unknown): void {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return
  refuse("'integrations' are not supported.", 'integrations', 'unsupported_parameter')
}

function readMethod(body: JsonObject, base: string): { method: TrainingMethod; options: JsonObject } {
  const asked = body['method']
  const known = methodsOf(base)
  if (asked === undefined || asked === null) return { method: known[0] ?? 'supervised', options: {} }
  if (!isJsonObject(asked)) return refuseType('method', 'an object', asked)
  const method = readChoice(asked['type'], 'method.type', ['supervised', 'dpo', 'reinforcement'])
  if (!known.includes(method)) {
    refuse(`The model '${base}' cannot be trained by the method '${method}'.`, 'method.type', 'invalid_value')
  }
  const options = asked[method] ?? {}
  return { method, options: isJsonObject(options) ? options : refuseType(`method.${method}`, 'an object', options) }
}

/** By the method's own object; the older ones beside it are still taken where there is no method. */
function readHyperparameters(body: JsonObject, { method, options }: { method: TrainingMethod; options: JsonObject }) {
  const isOlder = body['method'] === undefined || body['method'] === null
  const given = (isOlder ? body['hyperparameters'] : options['hyperparameters']) ?? {}
  const at = isOlder ? 'hyperparameters' : `method.${method}.hyperparameters`
  if (!isJsonObject(given)) return refuseType(at, 'an object', given)
  const chosen = (name: string, bounds: Parameters<typeof readNumber>[2]) =>
    readChosen(given[name], `${at}.${name}`, bounds)
  const own: Record<string, unknown> = {}
  if (method === 'dpo') own['beta'] = chosen('beta', { whole: false, min: 0, max: 2 })
  if (method === 'reinforcement') {
    for (const name of ['eval_interval', 'eval_samples']) own[name] = chosen(name, count(10_000))
    own['compute_multiplier'] = chosen('compute_multiplier', { whole: false, min: 0.00001, max: 10 })
    own['reasoning_effort'] = readChoice(given['reasoning_effort'] ?? 'default', `${at}.reasoning_effort`, [
      'default',
      'low',
      'medium',
      'high',
    ])
  }
  return {
    hyperparameters: {
      n_epochs: chosen('n_epochs', EPOCHS),
      batch_size: chosen('batch_size', BATCH),
      learning_rate_multiplier: chosen('learning_rate_multiplier', RATE),
    },
    methodParameters: own,
  }
}

/** `-1` is the older word for `auto`. */
function readChosen(value: unknown, param: string, bounds: Parameters<typeof readNumber>[2]): Chosen {
  return value === 'auto' || value === -1 ? 'auto' : (readNumber(value, param, bounds) ?? 'auto')
}

function readSuffix(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'string') return refuseType('suffix', 'a string', value)
  if (SUFFIX.test(value)) return value
  return refuse("Invalid 'suffix': expected at most 40 letters, digits, '-' and '_'.", 'suffix', 'invalid_value')
}

/** The service reads it in any case. */
function readTrainingType(value: unknown): TrainingType {
  if (value === undefined || value === null) return 'Standard'
  const asked = typeof value === 'string' ? value.toLowerCase() : ''
  const known = trainingTypes.find((type) => type.toLowerCase() === asked)
  return known ?? readChoice(value, 'trainingType', trainingTypes)
}

function readMetadata(value: unknown): JsonObject | null {
  if (value === undefined || value === null) return null
  if (!isJsonObject(value)) return refuseType('metadata', 'an object', value)
  const entries = Object.entries(value)
  if (entries.length > METADATA_MAX) {
    refuse(
      `Invalid 'metadata': expected at most ${METADATA_MAX} properties.`,
      'metadata',
      'object_above_max_properties',
    )
  }
  for (const [name, text] of entries) {
    if (typeof text !== 'string') refuseType(`metadata.${name}`, 'a string', text)
    else if (name.length > METADATA_KEY_CHARS_MAX || text.length > METADATA_VALUE_CHARS_MAX) {
      refuse(`Invalid 'metadata': a name or a value is too long.`, `metadata.${name}`, 'string_above_max_length')
    }
  }
  return value
}
