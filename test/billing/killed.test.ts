import type { TableClient } from '@azure/data-tables'
import { parseBackendId, type BackendId, type TenantId } from '../../src/base/ids'
import { assembleBilling } from '../../src/billing/assemble-billing'
import { systemChance } from '../../src/base/chance'
import { creditInput, newCreditId } from '../../src/billing/credit'
import { planInput } from '../../src/billing/plan'
import type { PriceEntry } from '../../src/billing/price-entry'
import type { StorageAccount } from '../../src/storage/connect'
import type { Notice } from '../../src/notifications/notice'
import { Problem } from '../../src/base/problem'
import { billingWorld, HOUR, USD, type BillingWorld } from './billing-world'

/** Processes that are killed while they close days and issue invoices: each life of theirs does one write more, and no other. */

const DAY_HOURS = 24
const LIVES_MAX = 50
const anyVersion = () => true
const backendId = parseBackendId(`bke_${'1'.repeat(26)}`) as BackendId

class Killed extends Error {}
const writing = new Set(['createEntity', 'updateEntity', 'upsertEntity', 'deleteEntity', 'submitTransaction'])

/** One life: the billing table as a process has it that is killed right behind its first write that changed something. */
function mortal(storage: StorageAccount) {
  let writes = 0
  let last: Promise<unknown> = Promise.resolve()
  const write = <T>(work: () => Promise<T>): Promise<T> => {
    // One after the other, so that nothing is written beside the last one.
    const done = last.then(async () => {
      if (writes > 0) throw new Killed()
      // What is refused (a row that is there, a tag that is old) changes nothing.
      const answer = await work()
      writes += 1
      return answer
    })
    last = done.catch(() => {})
    return done
  }
  const table = (name: string): TableClient => {
    const client = storage.table(name)
    if (name !== 'billing') return client
    return new Proxy(client, {
      get: (target, property) => {
        const found: unknown = Reflect.get(target, property)
        if (typeof found !== 'function') return found
        const call = found.bind(target) as (...given: unknown[]) => Promise<unknown>
        return writing.has(String(property)) ? (...given: unknown[]) => write(() => call(...given)) : call
      },
    })
  }
  return { storage: { ...storage, table }, write, writes: () => writes }
}

/** Lives one after the other until one of them finds nothing to write; how many there were. */
async function livesOf(world: BillingWorld, between: () => Promise<void> = async () => {}) {
  const published = new Set<string>()
  for (let lives = 1; lives <= LIVES_MAX; lives++) {
    const life = mortal(world.storage)
    // As the outbox does: what it has under this id is told once.
    const publish = async ({ id }: Notice) =>
      published.has(id) ? undefined : life.write(async () => void published.add(id))
    const { timers } = assembleBilling({ ...world.parts, storage: life.storage, notifications: { publish } })
    await timers['bill-tenants']().catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error
    })
    if (life.writes() === 0) return { lives, published }
    await between()
  }
  throw new Error('there is always something left to write')
}

const provisioned = (microUsd: number): PriceEntry => ({
  kind: 'provisioned',
  backendId,
  price: { kind: 'per-hour', microUsd },
  from: '2026-02-28',
  asOf: '2026-01-01',
  source: 'a test',
})

/** The last day of February, used by two tenants, the second of which has more credit than it owes. */
async function lastDay(): Promise<{ world: BillingWorld; tenants: readonly [TenantId, TenantId] }> {
  const world = await billingWorld('2026-02-28T12:00:00Z', { openDay: '2026-02-28' })
  const tenants = [world.newTenant('2026-02-10T00:00:00Z'), world.newTenant('2026-02-11T00:00:00Z')] as const
  expect(await world.prices.replace([provisioned(1_001)], anyVersion)).not.toBeInstanceOf(Problem)
  const fee = planInput.parse({ kind: 'minimum', microUsdPerMonthMin: 30 * USD, provisioned: 'by-cost' })
  await world.plans.set(world.scopeOf(tenants[0]), { from: '2026-02-10', plan: fee }, anyVersion)
  for (const microUsd of [7 * USD, 9 * USD])
    await world.credits.enter(world.scopeOf(tenants[1]), {
      id: newCreditId({
        clock: world.clock,
        chance: { ...systemChance(), bytes: (n) => new Uint8Array(n).fill(microUsd / USD) },
      }),
      ...creditInput.parse({ kind: 'credit', reason: 'agreed', microUsd }),
      by: 'an operator',
      createdAt: world.clock.now(),
    })
  await world.used(
    tenants.flatMap((tenantId, index) =>
      ['T03:10:00Z', 'T22:59:59Z'].map((time) => ({
        tenantId,
        at: `2026-02-28${time}`,
        backendId,
        deployment: 'gpt',
        promptTokens: 100 + 33 * index,
        costMicroUsd: 5_000,
      })),
    ),
  )
  world.at('2026-03-02T03:00:00Z')
  await world.rollUp.run()
  return { world, tenants }
}

/** All that was written, but for when. */
async function written({ rows, scopeOf, credits }: BillingWorld, tenants: readonly TenantId[]) {
  const idle = []
  for await (const each of rows.idle({ from: '2026-02-28', to: '2026-03-01' })) idle.push(...each)
  const ofTenants = []
  for (const tenantId of tenants) {
    const scope = scopeOf(tenantId)
    ofTenants.push({
      sheets: await rows.sheets(scope, { from: '2026-02-01', to: '2026-03-01' }),
      invoice: (await rows.invoice(scope, '2026-02'))?.made,
      total: (await rows.summary('2026-02', tenantId))?.totalMicroUsd,
      credits: (await credits.page(scope, { limit: 10 })).map(({ microUsd, on }) => [microUsd, on]),
    })
  }
  return { idle, ofTenants }
}

it('a month is billed the same when every single write of it is the last of its process, whoever changes prices meanwhile', async () => {
  const [calm, torn] = [await lastDay(), await lastDay()]
  await calm.world.bill()
  let answer: unknown
  const { lives, published } = await livesOf(torn.world, async () => {
    const { ofTenants } = await written(torn.world, torn.tenants)
    const isHalfClosed = ofTenants.filter(({ sheets }) => sheets.length > 0).length === 1
    if (isHalfClosed) answer ??= await torn.world.prices.replace([provisioned(2_003)], anyVersion)
  })
  expect(answer).toMatchObject({ code: 'invalid_request', public: expect.stringContaining('days before 2026-03-01') })
  expect(lives).toBeGreaterThan(10)
  const expected = await written(calm.world, calm.tenants)
  expect(await written(torn.world, torn.tenants)).toEqual(expected)

  const { idle, ofTenants } = expected
  const shared = ofTenants.flatMap(({ sheets }) => sheets.flatMap((sheet) => sheet.provisioned))
  expect([...idle, ...shared].reduce((all, { microUsd }) => all + microUsd, 0)).toBe(DAY_HOURS * 1_001)
  expect(ofTenants).toMatchObject([
    { total: 30 * USD - Math.floor((30 * USD * 9) / 28), sheets: [{ provisioned: [{ backendId }] }] },
    {
      total: 0,
      invoice: { carriedForwardMicroUsd: 16 * USD - 10_000 },
      credits: [
        [7 * USD, '2026-02'],
        [9 * USD, '2026-02'],
      ],
    },
  ])
  expect(published).toEqual(new Set(torn.tenants.map((id) => `invoice/${id}/2026-02`)))
})

it('an invoice that failed is issued once when every single write of its failure and of its mending is the last of its process', async () => {
  const { world, tenants } = await lastDay()
  const [failing, sound] = tenants
  const get = world.parts.tenants.get
  let isMended = false
  world.parts.tenants.get = async (scope) => {
    if (scope.tenantId === failing && !isMended) throw new Error('the record cannot be read')
    return get(scope)
  }
  const before = await livesOf(world)
  expect(before.published).toEqual(new Set([`invoice/${sound}/2026-02`]))
  isMended = true
  world.clock.nowMs += DAY_HOURS * HOUR
  const mending = await livesOf(world)
  expect(mending.lives).toBeGreaterThan(3)
  expect(mending.published).toEqual(new Set([`invoice/${failing}/2026-02`]))
  const { ofTenants } = await written(world, tenants)
  expect(ofTenants.map(({ invoice }) => invoice?.totalMicroUsd)).toEqual(ofTenants.map(({ total }) => total))
  expect(await world.storage.platformRowsUnder('billing', 'overdue~')).toBe(0)
})
