import { baselines } from './baselines'
import { chatAlias, tenantBody } from '../control-plane-fixtures'
import { serveControlPlane } from '../control-plane-server'
import { otherRules } from './other-rules'
import type { Rule } from './rule'
import { ask, isExpected, makeBench, operationOf, type Bench } from './send-trials'
import { stateOf } from './state-of'
import { tenantRules } from './tenant-rules'

/** What holds between fields, and between fields and what there is: no schema says it. */
let bench: Bench
beforeAll(async () => {
  bench = await makeBench()
  await baselines['POST /api/registrations']?.prepare?.(bench.world)
})
afterAll(() => bench.world.server.close())

const send = ({ operation, params }: Rule, body: object) =>
  ask(bench.world, operationOf(bench, operation), { body, ...(params ? { params: params(bench.world) } : {}) })

it.each([...tenantRules, ...otherRules])('$what: or else the answer names $path', async (rule) => {
  const { server } = bench.world
  const state = await stateOf(server)
  const refused = await send(rule, rule.refused(bench.world))
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  const named = { path: rule.path, message: expect.stringMatching(rule.says) }
  expect(refused.body.errors).toEqual(expect.arrayContaining([named]))
  expect(await stateOf(server)).toEqual(state)
})

it.each([...tenantRules, ...otherRules].filter(({ taken }) => taken))('$what: the nearest is taken', async (rule) => {
  const reply = await send(rule, rule.taken?.(bench.world) ?? {})
  const unasked = { field: '', what: '', sent: undefined, refusal: undefined }
  expect(isExpected(unasked, {}, reply) ? undefined : reply).toBeUndefined()
})

it('an answer names some of very many faults', async () => {
  const alias = { ...chatAlias(`bke_${'0'.repeat(26)}`), name: 'chat' }
  const body = { ...tenantBody, tier: 'premium', aliases: Array.from({ length: 100 }, () => alias) }
  const refused = await ask(bench.world, operationOf(bench, 'POST /api/platform/tenants'), { body })
  expect(refused.body.errors).toHaveLength(20)
})

it('settings that nobody has made yet are read as closed, in no region', async () => {
  await using fresh = await serveControlPlane()
  const read = await fresh.operate('GET', '/api/platform/registration-settings')
  expect(read).toMatchObject({ status: 200, body: { mode: 'closed', regions: [], aliases: [] } })
})
