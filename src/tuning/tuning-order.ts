import { parseFileId, type FileId } from '../base/ids'
import { isObject } from '../base/json-object'
import { Problem } from '../base/problem'
import { trainingModelOf, type TrainingMethod } from '../datasets/training-models'
import type { TrainingType } from '../datasets/training-prices'
import { invalid, readInteger } from '../inference/body-fields'
import type { Body } from '../inference/operation'
import { readMetadata } from '../inference/read-metadata'
import { readHyperparameters } from './read-hyperparameters'
import type { TuningOrder } from './tuning-job'

/** What a client asks for, before anybody has looked whether its model and files are there. */
export interface AskedTuning extends Omit<TuningOrder, 'baseModel' | 'parent' | 'method'> {
  /** The model's first method where the client names none, as with OpenAI. */
  readonly method: TrainingMethod | undefined
}

const MODEL_CHARACTERS_MAX = 256
const SUFFIX = /^[A-Za-z0-9_-]{1,40}$/
const SEED_MAX = 2_147_483_647
/** A grader in Python alone may have 256 KB (azure-facts 3.2). */
export const GRADER_BYTES_MAX = 512 * 1024
const methods: readonly TrainingMethod[] = ['supervised', 'dpo', 'reinforcement']
const trainingTypes: readonly TrainingType[] = ['standard', 'globalstandard', 'developertier']

/**
 * Reads the body that asks for a job, field by field. Source: OpenAI's `POST /fine_tuning/jobs` with Azure's `trainingType`
 * (azure-facts 3.3); `null` is as good as absent.
 */
export function readTuningOrder(body: Body): AskedTuning | Problem {
  const { model, integrations } = body
  if (typeof model !== 'string' || model === '' || model.length > MODEL_CHARACTERS_MAX)
    return invalid('model', 'must name a model that can be trained')
  if (Array.isArray(integrations) ? integrations.length > 0 : (integrations ?? null) !== null)
    return new Problem('unsupported_parameter', "'integrations' are not supported.", { param: 'integrations' })
  const trainingFileId = readFile(body, 'training_file')
  if (trainingFileId instanceof Problem) return trainingFileId
  if (trainingFileId === undefined)
    return invalid('training_file', 'must name a file that was uploaded with the purpose "fine-tune"')
  const validationFileId = readFile(body, 'validation_file')
  if (validationFileId instanceof Problem) return validationFileId
  const method = readMethod(body)
  if (method instanceof Problem) return method
  if (method.method === 'reinforcement' && validationFileId === undefined)
    return invalid('validation_file', 'must be given for the method "reinforcement"')
  const suffix = readSuffix(body['suffix'])
  if (suffix instanceof Problem) return suffix
  const seed = readInteger(body, 'seed', 0, SEED_MAX)
  if (seed instanceof Problem) return seed
  const trainingType = readTrainingType(body['trainingType'] ?? body['training_type'])
  if (trainingType instanceof Problem) return trainingType
  const metadata = readMetadata(body['metadata'])
  if (metadata instanceof Problem) return metadata
  return { model, trainingFileId, validationFileId, ...method, suffix, seed, trainingType, metadata }
}

/** The method that a job of this model has, or why it cannot have the one that was asked for. */
export function methodFor(asked: Pick<AskedTuning, 'method'>, baseModel: string): TrainingMethod | Problem {
  const known = trainingModelOf(baseModel)?.methods ?? []
  const method = asked.method ?? known[0]
  if (method !== undefined && known.includes(method)) return method
  return invalid('method.type', `must be one that '${baseModel}' can be trained by: ${known.join(', ')}`)
}

/** An id that no file of ours can have is one of nobody's: told of like a deleted one, by whoever looks for it. */
const NO_FILE: FileId = 'file-'

function readFile(body: Body, key: 'training_file' | 'validation_file'): FileId | undefined | Problem {
  const value = body[key]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' || value === '') return invalid(key, 'must be the id of a file')
  return parseFileId(value) ?? NO_FILE
}

type Method = Pick<AskedTuning, 'method' | 'hyperparameters' | 'grader' | 'responseFormat'>

/** By the method's own object; the older hyperparameters beside it are still taken where there is no method. */
function readMethod(body: Body): Method | Problem {
  const value = body['method']
  if (value === undefined || value === null) {
    const hyperparameters = readHyperparameters(body['hyperparameters'], {
      method: 'supervised',
      at: 'hyperparameters',
    })
    return hyperparameters instanceof Problem ? hyperparameters : { method: undefined, hyperparameters }
  }
  if (!isObject(value)) return invalid('method', 'must be an object with a type')
  const method = methods.find((name) => name === value['type'])
  if (!method) return invalid('method.type', `must be one of ${methods.join(', ')}`)
  const options = value[method] ?? {}
  const at = `method.${method}`
  if (!isObject(options)) return invalid(at, 'must be an object')
  const hyperparameters = readHyperparameters(options['hyperparameters'], { method, at: `${at}.hyperparameters` })
  if (hyperparameters instanceof Problem) return hyperparameters
  if (method !== 'reinforcement') return { method, hyperparameters }
  const { grader, response_format: responseFormat } = options
  if (!isObject(grader)) return invalid(`${at}.grader`, 'must be a grader')
  if (Buffer.byteLength(JSON.stringify(grader)) > GRADER_BYTES_MAX)
    return invalid(`${at}.grader`, `is larger than ${GRADER_BYTES_MAX} bytes`)
  if (responseFormat !== undefined && responseFormat !== null && !isObject(responseFormat))
    return invalid(`${at}.response_format`, 'must be an object')
  return { method, hyperparameters, grader, ...(isObject(responseFormat) ? { responseFormat } : {}) }
}

function readSuffix(value: unknown): string | undefined | Problem {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string' && SUFFIX.test(value)) return value
  return invalid('suffix', 'must be 1 to 40 letters, digits, hyphens or underscores')
}

/** Azure reads it in any case. */
function readTrainingType(value: unknown): TrainingType | Problem {
  if (value === undefined || value === null) return 'standard'
  const asked = typeof value === 'string' ? value.toLowerCase() : ''
  return (
    trainingTypes.find((type) => type === asked) ??
    invalid('trainingType', `must be one of ${trainingTypes.join(', ')}`)
  )
}
