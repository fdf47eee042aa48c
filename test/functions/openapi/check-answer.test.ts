import { z } from 'zod'
import { publicEndpoint, type Endpoint } from '../../../src/http/endpoint'
import type { PlainAnswer, PlainRequest } from '../../../src/http/plain-request'
import { checkingAnswers } from '../check-answer'

const endpoint = (more: object = {}) =>
  publicEndpoint({ summary: 'Tests.', answer: z.object({ a: z.int() }), run: async () => ({ status: 200 }), ...more })

const jsonAnswer = (status: number, body: object, type = 'application/json'): PlainAnswer => ({
  status,
  headers: { 'content-type': type },
  body: JSON.stringify(body),
})

const problem = (code: string) =>
  jsonAnswer(
    409,
    { type: 't', title: 't', status: 409, detail: 'd', code, retryable: false, requestId: 'r' },
    'application/problem+json',
  )

async function statusOf(answer: PlainAnswer, GET: Endpoint = endpoint()): Promise<number> {
  const request = { method: 'GET', route: 'api/x' } as PlainRequest
  return (await checkingAnswers(async () => answer, [])({ GET }, request)).status
}

describe('the check that every test of the control plane runs under', () => {
  it('lets through what the documentation promises', async () => {
    expect(await statusOf(jsonAnswer(200, { a: 1 }))).toBe(200)
    expect(await statusOf(problem('internal_error'))).toBe(409)
    expect(await statusOf(jsonAnswer(503, { b: 1 }), endpoint({ unready: z.object({ b: z.int() }) }))).toBe(503)
    expect(await statusOf(problem('link_used_up'), endpoint({ problems: ['link_used_up'] }))).toBe(409)
  })

  it('catches a wrong type, a field that nobody described, another status, and a code that is not announced', async () => {
    expect(await statusOf(jsonAnswer(200, { a: 'x' }))).toBe(599)
    expect(await statusOf(jsonAnswer(200, { a: 1, b: 1 }))).toBe(599)
    expect(await statusOf(jsonAnswer(202, { a: 1 }))).toBe(599)
    expect(await statusOf(jsonAnswer(503, { a: 1 }))).toBe(599)
    expect(await statusOf(jsonAnswer(503, { a: 1 }), endpoint({ unready: z.object({ b: z.int() }) }))).toBe(599)
    expect(await statusOf(problem('conflict'))).toBe(599)
    expect(await statusOf(problem('no_such_code'))).toBe(599)
  })
})
