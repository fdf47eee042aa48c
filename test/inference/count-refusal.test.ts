import { Problem, ProblemError } from '../../src/base/problem'
import type { ProblemCode } from '../../src/base/problem-codes'
import { countingRefusal } from '../../src/inference/count-refusal'
import type { RefusedCall } from '../../src/metering/usage-record'

const call = {
  startedAt: 1,
  tenantId: 'ten_a',
  keyId: 'key_1',
  alias: 'chat',
  model: 'gpt-4.1-mini',
  operation: 'chat.completions',
} as const

async function counted(work: () => Promise<unknown>): Promise<{ told: RefusedCall[]; result: unknown }> {
  const told: RefusedCall[] = []
  const result = await countingRefusal({ usageLog: { refused: (one) => told.push(one) } }, () => call, work).catch(
    (error: unknown) => error,
  )
  return { told, result }
}

describe('a call that ends before it stands in the usage log', () => {
  it.each<[ProblemCode, number]>([
    ['rate_limit_exceeded', 429],
    ['concurrency_limit_exceeded', 429],
    ['insufficient_quota', 429],
    ['instance_overloaded', 503],
    ['metering_unavailable', 503],
    ['internal_error', 500],
  ])('is counted when it is refused with %s, and its client gets that', async (code, status) => {
    const problem = new Problem(code, 'No.')
    expect(await counted(async () => problem)).toEqual({ told: [{ ...call, code, status }], result: problem })
  })

  it.each<ProblemCode>(['invalid_request', 'DeploymentNotFound', 'insufficient_scope', 'request_above_token_limit'])(
    'is not counted when its client has to write it otherwise (%s)',
    async (code) => expect((await counted(async () => new Problem(code, 'No.'))).told).toEqual([]),
  )

  it('is counted by what broke, which is thrown on', async () => {
    const broken = new ProblemError(new Problem('storage_unavailable', 'No answer.'))
    const fail = (error: Error) => () => Promise.reject(error)
    expect(await counted(fail(broken))).toEqual({
      told: [{ ...call, code: 'storage_unavailable', status: 503 }],
      result: broken,
    })
    const { told } = await counted(fail(new TypeError('a defect')))
    expect(told).toEqual([{ ...call, code: 'internal_error', status: 500 }])
  })

  it('is not counted when it goes on', async () => {
    expect(await counted(async () => 'begun')).toEqual({ told: [], result: 'begun' })
  })
})
