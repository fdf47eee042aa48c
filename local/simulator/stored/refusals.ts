import { invalidRequest, type Refusal } from '../errors'
import type { Family } from '../route'

/** The envelope of the classic authoring operations. Source: the 2024-10-21 specification. */
const authoringError = (status: number, code: string, message: string): Refusal => ({
  status,
  body: JSON.stringify({ error: { code, message } }),
})

/** What is not there, or is another account's. */
export function notFoundThing(family: Family, thing: string, id: string): Refusal {
  if (family === 'classic')
    return authoringError(404, 'notFound', `The specified ${thing.toLowerCase()} '${id}' was not found.`)
  return invalidRequest(`No such ${thing} object: ${id}`, { status: 404, param: 'id' })
}

export const quotaExceeded = (what: string): Refusal =>
  authoringError(400, 'quotaExceeded', `The resource holds no more than ${what}.`)
