import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { ProblemCode } from '../../src/base/problem-codes'
import type { Endpoint } from '../../src/http/endpoint'
import type { Handle, Method } from '../../src/http/handle'
import { problemsOf, shownProblem } from '../../src/http/openapi-problems'
import type { PlainAnswer } from '../../src/http/plain-request'

/**
 * Holds every answer of every test against what the API's documentation promises: status, body, and the codes of problems.
 * One that differs reaches the test as a 599 that says how.
 */
export function checkingAnswers(handle: Handle, skipped: readonly string[]): Handle {
  return async (endpoints, request) => {
    const answer = await handle(endpoints, request)
    const endpoint = endpoints[request.method as Method]
    if (!endpoint || skipped.includes(request.route)) return answer
    const fault = faultOf(endpoint, request.method as Method, answer)
    if (fault === undefined) return answer
    const text = `${request.method} ${request.route} answers otherwise than its documentation says: ${fault}`
    return { ...answer, status: 599, body: JSON.stringify({ text }) }
  }
}

function faultOf(endpoint: Endpoint, method: Method, answer: PlainAnswer): string | undefined {
  const type = answer.headers['content-type'] ?? ''
  const isJson = type.includes('json')
  const body: unknown = answer.body === undefined || !isJson ? undefined : JSON.parse(answer.body)
  if (type === 'application/problem+json') return problemFault(endpoint, method, body)
  const { answer: sound, unready } = endpoint.schemas
  if (answer.status === 503 && unready) return schemaFault(unready, body)
  if (answer.status !== endpoint.answerStatus)
    return `the status is ${answer.status}, and the endpoint's answerStatus ${endpoint.answerStatus}`
  if (!isJson) return undefined
  return sound ? schemaFault(sound, body) : 'a body without an `answer` schema'
}

function problemFault(endpoint: Endpoint, method: Method, body: unknown): string | undefined {
  const fault = schemaFault(shownProblem, body)
  if (fault !== undefined) return fault
  const { code } = shownProblem.parse(body)
  const known = problemsOf(endpoint, method)
  return known.has(code as ProblemCode) ? undefined : `the problem ${code} is not among the endpoint's \`problems\``
}

function schemaFault(schema: z.ZodType, body: unknown): string | undefined {
  const parsed = schema.safeParse(body)
  if (!parsed.success) return z.prettifyError(parsed.error)
  return isDeepStrictEqual(parsed.data, body)
    ? undefined
    : `the body has more than its schema: ${JSON.stringify(body)} against ${JSON.stringify(parsed.data)}`
}
