import { fieldsOf } from '../base/json-object'
import type { Hyperparameters } from '../registry/model-version'
import type { UpstreamStatus } from './tuning-job'

/** A job as an account shows it. Times in Unix milliseconds. */
export interface AccountJob {
  readonly id: string
  readonly status: UpstreamStatus
  readonly finishedAt: number | undefined
  readonly estimatedFinish: number | undefined
  readonly model: string | undefined
  readonly trainedTokens: number | undefined
  readonly resultFileIds: readonly string[]
  readonly hyperparameters: Hyperparameters
  readonly seed: number | undefined
  readonly error: { readonly code: string; readonly message: string; readonly param: string | null } | undefined
}

export interface AccountEvent {
  readonly id: string
  readonly createdAt: number
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly type: 'message' | 'metrics'
  readonly data: Readonly<Record<string, unknown>>
}

export interface AccountCheckpoint {
  readonly id: string
  readonly createdAt: number
  readonly model: string
  readonly step: number
  readonly metrics: Readonly<Record<string, number>>
}

/** Azure's two families and OpenAI have words of their own (azure-facts 3.3); what is not known is on its way. */
const statuses: Readonly<Record<string, UpstreamStatus>> = {
  created: 'waiting',
  pending: 'waiting',
  notrunning: 'waiting',
  validating_files: 'waiting',
  queued: 'waiting',
  resuming: 'waiting',
  running: 'running',
  pausing: 'pausing',
  paused: 'paused',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  canceled: 'cancelled',
}
const CODE = /^[A-Za-z0-9_.-]{1,64}$/
const MESSAGE_CHARACTERS_MAX = 1_000

export function accountJobOf(value: unknown): AccountJob | undefined {
  const job = fieldsOf(value)
  const { id, fine_tuned_model: model, trained_tokens: tokens, result_files: files, seed } = job
  if (typeof id !== 'string') return undefined
  const told = String(job['status']).toLowerCase()
  return {
    id,
    status: (Object.hasOwn(statuses, told) ? statuses[told] : undefined) ?? 'waiting',
    finishedAt: timeOf(job['finished_at']),
    estimatedFinish: timeOf(job['estimated_finish']),
    model: typeof model === 'string' && model !== '' ? model : undefined,
    trainedTokens: typeof tokens === 'number' ? tokens : undefined,
    resultFileIds: Array.isArray(files) ? files.filter((file: unknown) => typeof file === 'string') : [],
    hyperparameters: hyperparametersOf(job),
    seed: typeof seed === 'number' ? seed : undefined,
    error: errorOf(job['error']),
  }
}

export function accountEventOf(value: unknown): AccountEvent | undefined {
  const { id, created_at: createdAt, level, message, type, data } = fieldsOf(value)
  if (typeof id !== 'string') return undefined
  return {
    id,
    createdAt: timeOf(createdAt) ?? 0,
    level: level === 'error' ? 'error' : level === 'warn' || level === 'warning' ? 'warn' : 'info',
    message: typeof message === 'string' ? message.slice(0, MESSAGE_CHARACTERS_MAX) : '',
    type: type === 'metrics' ? 'metrics' : 'message',
    data: fieldsOf(data),
  }
}

export function accountCheckpointOf(value: unknown): AccountCheckpoint | undefined {
  const { id, created_at: createdAt, fine_tuned_model_checkpoint: model, step_number: step, metrics } = fieldsOf(value)
  if (typeof id !== 'string' || typeof model !== 'string' || typeof step !== 'number') return undefined
  return { id, createdAt: timeOf(createdAt) ?? 0, model, step, metrics: numbersOf(metrics) }
}

export const numbersOf = (value: unknown): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(fieldsOf(value)).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  )

/** Those of the method where it says them, else the older ones beside it. */
function hyperparametersOf(job: Readonly<Record<string, unknown>>): Hyperparameters {
  const method = fieldsOf(job['method'])
  const own = fieldsOf(fieldsOf(method[String(method['type'])])['hyperparameters'])
  const all = { ...fieldsOf(job['hyperparameters']), ...own }
  return Object.fromEntries(
    Object.entries(all).filter(
      (entry): entry is [string, number | string] => typeof entry[1] === 'number' || typeof entry[1] === 'string',
    ),
  )
}

/** The provider's own words: they say which rule of its was broken. What of it names things of the account, its reader hides. */
function errorOf(value: unknown): AccountJob['error'] {
  const { code, message, param } = fieldsOf(value)
  if (typeof code !== 'string' && typeof message !== 'string') return undefined
  return {
    code: typeof code === 'string' && CODE.test(code) ? code : 'training_failed',
    message: typeof message === 'string' ? message.slice(0, MESSAGE_CHARACTERS_MAX) : '',
    param: typeof param === 'string' && CODE.test(param) ? param : null,
  }
}

const timeOf = (seconds: unknown) => (typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : undefined)
