import { Problem } from '../base/problem'
import type { Body } from './operation'

/** Readers of single fields: each gives the value or says what would be valid. `null` is as good as absent, as in OpenAI's API. */

export function readBoolean(body: Body, key: string, param = key): boolean | Problem {
  const value = body[key]
  if (value === undefined || value === null) return false
  return typeof value === 'boolean' ? value : invalid(param, 'must be true or false')
}

export function readInteger(body: Body, key: string, min: number, max: number): number | undefined | Problem {
  const value = body[key]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `between ${min} and ${max}`
  return invalid(key, `must be an integer ${bounds}`)
}

/** Undefined for text that is not empty. */
export function checkText(body: Body, key: string, charactersMax: number): Problem | undefined {
  const value = body[key]
  if (typeof value !== 'string' || value === '') return invalid(key, 'must be a string and not empty')
  return value.length > charactersMax ? invalid(key, `is longer than ${charactersMax} characters`) : undefined
}

/** `stream_options.include_usage`. */
export function readIncludeUsage(body: Body): boolean | Problem {
  const options = body['stream_options']
  if (options === undefined || options === null) return false
  if (typeof options !== 'object' || Array.isArray(options)) return invalid('stream_options', 'must be an object')
  return readBoolean(options as Body, 'include_usage', 'stream_options.include_usage')
}

export function invalid(param: string, what: string): Problem {
  return new Problem('invalid_request', `'${param}' ${what}.`, { param })
}
