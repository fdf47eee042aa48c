import { ask, baselineOf, faultsOf, isExpected, makeBench, refusalFault, type Bench } from './send-trials'
import type { Operation } from './operations'
import { queryTrials } from './query-trials'
import { stateOf } from './state-of'
import { auditOf } from './world'
import type { Trial } from './trial'

/** Every parameter of every query, at its bounds and beside them. The usage's is tried in usage-query.test.ts. */
let bench: Bench
beforeAll(async () => {
  bench = await makeBench()
})
afterAll(() => bench.world.server.close())

const NOT_HERE: readonly string[] = ['GET /api/tenant/usage', 'GET /api/platform/usage']

interface QueryTrial extends Trial {
  readonly operation: Operation
}

function trials(): QueryTrial[] {
  return bench.operations
    .filter(({ name }) => !NOT_HERE.includes(name))
    .flatMap((operation) =>
      operation.query
        .flatMap((parameter) => queryTrials(parameter, baselineOf(operation).query ?? {}))
        .map((trial) => ({ ...trial, operation })),
    )
}

const send = ({ operation, sent }: QueryTrial) => ask(bench.world, operation, { query: String(sent) })

it('pages of every list are tried', () => {
  const lists = new Set(trials().map(({ operation }) => operation.name))
  expect(lists.size).toBeGreaterThan(12)
})

it('a parameter beside a bound is refused by its name, and nothing is changed', async () => {
  const refused = trials().filter(({ refusal }) => refusal)
  const state = await stateOf(bench.world.server)
  const audit = await auditOf(bench.world)
  const faults = await faultsOf(refused, { atOnce: 8 }, async (trial) => {
    const fault = refusalFault(trial, await send(trial))
    return fault && `${trial.operation.name} ${trial.field} ${trial.what}: ${fault}`
  })
  expect(faults).toEqual([])
  expect(await stateOf(bench.world.server)).toEqual(state)
  expect((await auditOf(bench.world)).done).toBe(audit.done)
})

it('a parameter at a bound is taken', async () => {
  const taken = trials().filter(({ refusal }) => !refusal)
  const faults = await faultsOf(taken, { atOnce: 8 }, async (trial) => {
    const reply = await send(trial)
    return isExpected(trial, baselineOf(trial.operation), reply)
      ? undefined
      : `${trial.operation.name} ${trial.field} ${trial.what}: ${reply.status} ${reply.text}`
  })
  expect(faults).toEqual([])
})

it('a parameter that an operation does not know is refused by its name, and nothing is changed', async () => {
  const { world, operations } = bench
  const state = await stateOf(world.server)
  // A stranger's registration reads no query.
  const reading = operations.filter(({ name }) => name !== 'POST /api/registrations')
  const faults = await faultsOf(reading, { atOnce: 8 }, async (operation) => {
    if (NOT_HERE.includes(operation.name)) return undefined
    const query = new URLSearchParams({ ...baselineOf(operation).query, surplus: '1' }).toString()
    const body = baselineOf(operation).bodies?.(world)[0]
    const reply = await ask(world, operation, { query, ...(body ? { body } : {}) })
    const refusal = { path: 'surplus', says: /no such/ }
    const fault = refusalFault({ field: 'surplus', what: 'unknown', sent: query, refusal }, reply)
    return fault && `${operation.name}: ${fault}`
  })
  expect(faults).toEqual([])
  expect(await stateOf(world.server)).toEqual(state)
})
