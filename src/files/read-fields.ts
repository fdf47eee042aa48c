import { Problem } from '../base/problem'
import { expirySeconds, FILENAME_CHARACTERS_MAX } from './file-bounds'
import { uploadPurposes, type UploadPurpose } from './file-record'

/** Fields that clients send, of forms and of JSON bodies alike; each refusal names its field. */
export const invalid = (param: string, text: string) => new Problem('invalid_request', text, { param })

export function readPurpose(value: unknown): UploadPurpose | Problem {
  const purpose = uploadPurposes.find((name) => name === value)
  return purpose ?? invalid('purpose', `'purpose' must be one of ${uploadPurposes.join(', ')}.`)
}

export function readFilename(value: unknown, param: string): string | Problem {
  const isName = typeof value === 'string' && value.length > 0 && value.length <= FILENAME_CHARACTERS_MAX
  if (isName && !CONTROL_CHARACTERS.test(value)) return value
  return invalid(param, `'${param}' needs a filename of 1 to ${FILENAME_CHARACTERS_MAX} characters.`)
}

/** Undefined where the client named none: then the file stays. */
export function readExpiry(seconds: unknown, anchor: unknown): number | undefined | Problem {
  if (seconds === undefined && anchor === undefined) return undefined
  const { min, max } = expirySeconds
  const count = typeof seconds === 'string' && /^\d{1,9}$/.test(seconds) ? Number(seconds) : seconds
  if (typeof count !== 'number' || !Number.isInteger(count) || count < min || count > max)
    return invalid('expires_after.seconds', `'expires_after.seconds' must be a whole number from ${min} to ${max}.`)
  if (anchor !== 'created_at') return invalid('expires_after.anchor', "'expires_after.anchor' must be 'created_at'.")
  return count
}

export function readCount(value: unknown, param: string, { min, max }: { min: number; max: number }): number | Problem {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  return invalid(param, `'${param}' must be a whole number from ${min} to ${max}.`)
}

// eslint-disable-next-line no-control-regex
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/
