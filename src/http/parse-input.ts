import type { z } from 'zod'
import { Problem, type FieldError } from '../base/problem'

/** The value as the schema types it, or every fault at once, each naming its field and what would be valid. */
export function parseInput<T>(schema: z.ZodType<T> | undefined, value: unknown): T | Problem {
  // Without a schema nobody reads the value: T is then what the endpoint left unnamed.
  if (!schema) return undefined as T
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.flatMap(fieldErrors)
  const [first] = errors
  const detail = first ? `${first.path || 'body'}: ${first.message}` : 'The request is not valid.'
  return new Problem('invalid_request', detail, { param: first?.path, errors })
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.join('.')
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }]
  return issue.keys.map((key) => ({ path: path ? `${path}.${key}` : key, message: 'There is no such field here' }))
}
