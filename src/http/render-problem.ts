import { storageStatus } from '../storage/connect'
import { Problem, ProblemError } from '../base/problem'
import type { PlainAnswer } from './plain-request'

/** A client that sends rubbish need not be told all of it. */
const ERRORS_MAX = 20

/** An RFC 9457 body. What the problem says internally has no place in it. */
export function renderProblem(problem: Problem, requestId: string): PlainAnswer {
  const { entry, code, param } = problem
  const body = {
    type: `urn:tenantry:problem:${code}`,
    title: entry.title,
    status: entry.status,
    detail: problem.public,
    code,
    retryable: entry.retryable,
    requestId,
    errors:
      problem.errors?.slice(0, ERRORS_MAX) ??
      (param === undefined ? undefined : [{ path: param, message: problem.public }]),
  }
  return {
    status: entry.status,
    headers: {
      'content-type': 'application/problem+json',
      ...retryAfterHeaders(problem.retryAfterMs),
      ...problem.headers,
    },
    body: JSON.stringify(body),
  }
}

/** Network failures and refusals of Azure Storage that pass by themselves. */
const TRANSIENT = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EPIPE', 'REQUEST_SEND_ERROR'])
const STORAGE_RETRY_AFTER_MS = 1_000

/** What a client is told of anything that was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  if ((storageStatus(error) ?? 0) >= 500 || TRANSIENT.has(code))
    return new Problem('storage_unavailable', 'The platform’s storage does not answer at the moment. Try again.', {
      retryAfterMs: STORAGE_RETRY_AFTER_MS,
    })
  return new Problem('internal_error', 'Something went wrong here. The request id tells the operator where to look.')
}

function retryAfterHeaders(retryAfterMs: number | undefined): Record<string, string> {
  if (retryAfterMs === undefined) return {}
  return { 'retry-after-ms': String(retryAfterMs), 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }
}
