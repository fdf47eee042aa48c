import { invalidRequest, type Refusal } from '../errors'
import type { Family } from '../route'

/** The envelope of the classic authoring operations. Source: the 2024-10-21 specification. */
const authoringError = (status: number, code: AuthoringCode, message: string, target?: string): Refusal => ({
  status,
  body: JSON.stringify({ error: { code, message, ...(target === undefined ? {} : { target }) } }),
})

type AuthoringCode = 'notFound' | 'quotaExceeded' | 'invalidPayload' | 'conflict' | 'unexpectedEntityState'

/** What is not there, or is another account's. */
export function notFoundThing(family: Family, thing: string, id: string): Refusal {
  if (family === 'classic')
    return authoringError(404, 'notFound', `The specified ${thing.toLowerCase()} '${id}' was not found.`)
  return invalidRequest(`No such ${thing} object: ${id}`, { status: 404, param: 'id' })
}

export const quotaExceeded = (what: string, status = 400): Refusal =>
  authoringError(status, 'quotaExceeded', `The resource holds no more than ${what}.`)

/** What cannot be done with a thing as it is: in the classic family by a code of its own. */
export function unfitState(family: Family, message: string): Refusal {
  if (family === 'classic') return authoringError(409, 'unexpectedEntityState', message)
  return invalidRequest(message)
}

/** What others still need. */
export function inUse(family: Family, message: string): Refusal {
  if (family === 'classic') return authoringError(409, 'conflict', message)
  return invalidRequest(message, { status: 409, code: 'conflict' })
}

/** A refusal of a body in the words of the family that it came by. */
export function inFamily(family: Family, refusal: Refusal): Refusal {
  if (family !== 'classic') return refusal
  const { error } = JSON.parse(refusal.body) as { error: { message: string; param: string | null } }
  return authoringError(400, 'invalidPayload', error.message, error.param ?? undefined)
}
