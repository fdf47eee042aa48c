import {
  ask,
  baselineOf,
  bodyTrials,
  faultsOf,
  isExpected,
  makeBench,
  operationOf,
  refusalFault,
  type Bench,
} from './send-trials'
import { baselines } from './baselines'
import { fieldsOf } from './fields-of'
import { stateOf } from './state-of'
import { auditOf } from './world'

/**
 * Every field of every body that the control plane takes, at each bound that its schema states and beside it. The schemas are
 * those of the API's own document: a new endpoint fails here until it has a baseline, and a new field until a baseline has it.
 */
let bench: Bench
beforeAll(async () => {
  bench = await makeBench()
})
afterAll(() => bench.world.server.close())

const names = Object.keys(baselines).filter((name) => baselines[name]?.bodies)
it('every operation that takes a body has a baseline', () => {
  const taking = bench.operations.filter(({ body }) => body).map(({ name }) => name)
  expect(taking.length).toBeGreaterThan(15)
  expect(taking.filter((name) => baselines[name]?.bodies === undefined)).toEqual([])
})

it.each(names)('%s: every field of the body stands in a baseline', (name) => {
  const operation = operationOf(bench, name)
  const tried = new Set(bodyTrials(bench, operation).map(({ field }) => field))
  const fields = operation.body ? fieldsOf(operation.body, bench.components) : []
  expect(fields.filter((field) => !tried.has(field))).toEqual([])
})

it.each(names)('%s: a body beside a bound is refused by the field’s name, and changes nothing', async (name) => {
  const { world } = bench
  const operation = operationOf(bench, name)
  const trials = bodyTrials(bench, operation).filter(({ refusal }) => refusal)
  const [state, audit] = await Promise.all([stateOf(world.server), auditOf(world)])
  const faults = await faultsOf(trials, { atOnce: 8 }, async (trial) => {
    const fault = refusalFault(trial, await ask(world, operation, { body: trial.sent }))
    return fault && `${trial.field || 'the body'} ${trial.what}: ${fault}`
  })
  expect(faults).toEqual([])
  expect(await stateOf(world.server)).toEqual(state)
  // Of whom the platform knows, each attempt stands in the audit as one that was refused.
  const attempts = operation.path.startsWith('/api/registrations') ? 0 : trials.length
  expect(await auditOf(world)).toEqual({ done: audit.done, refused: audit.refused + attempts })
})

it.each(names)('%s: a body at a bound is taken', async (name) => {
  const operation = operationOf(bench, name)
  await baselineOf(operation).prepare?.(bench.world)
  const trials = bodyTrials(bench, operation).filter(({ refusal }) => !refusal)
  // Changes of one thing at once would wait for each other.
  const faults = await faultsOf(trials, { atOnce: operation.needsIfMatch ? 1 : 8 }, async (trial) => {
    const reply = await ask(bench.world, operation, { body: trial.sent })
    return isExpected(trial, baselineOf(operation), reply)
      ? undefined
      : `${trial.field} ${trial.what}: ${reply.status} ${reply.text}`
  })
  expect(faults).toEqual([])
})
