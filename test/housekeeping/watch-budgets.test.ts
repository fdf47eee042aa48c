import { createAlerts } from '../../src/alerts/alerts'
import type { TenantId } from '../../src/base/ids'
import { createBudgetWarnings } from '../../src/budgets/budget-warnings'
import { tableBudgetStore, type BudgetSubject } from '../../src/budgets/budget-store'
import { budgetStorage } from '../../src/budgets/create-budget-keeper'
import { createWatchBudgets } from '../../src/housekeeping/watch-budgets'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import type { TenantSnapshot } from '../../src/tenants/snapshot'
import { eventually } from '../conformance/eventually'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { silentLog } from '../metering/read-all'

const NOW_MS = Date.UTC(2026, 5, 15, 12)
const tenantId = 'ten_00000000000000000000000001' as const
const scope = TenantScope.ofPlatform(tenantId)
const tenant: BudgetSubject = { kind: 'tenant' }

/** A tenant with a monthly budget of 1,000 tokens, of which the log says what the test does. */
async function budgetWorld({
  used,
  state = 'active',
  tenants = 1,
}: {
  used: number
  state?: TenantSnapshot['state']
  tenants?: number
}) {
  const storage = freshStorage()
  await storage.ensure({ tables: [...budgetStorage.tables, 'alerts'] })
  const clock = handClock(NOW_MS)
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const store = tableBudgetStore(tenantTable(storage.table('budgets')))
  const asked: number[] = []
  const freshened: number[] = []
  const watch = createWatchBudgets({
    keys: { list: async () => [] },
    budgets: store,
    freshen: async () => void freshened.push(asked.length),
    spentByLog: async (_scope, _subject, { fromMs, toMs }) => {
      asked.push(fromMs)
      // All of it was used in the first hour of the month.
      const isFirst = fromMs <= Date.UTC(2026, 5, 1) && toMs > Date.UTC(2026, 5, 1)
      return { tokens: isFirst ? used : 0, microUsd: 0 }
    },
    warnings: createBudgetWarnings({ alerts, log: silentLog }),
    tenantIds: async function* (): AsyncGenerator<TenantId> {
      for (let n = 1; n <= tenants; n++) yield `ten_${String(n).padStart(26, '0')}`
    },
    tenantOf: () =>
      ({
        state,
        budgets: { tokensPerMonth: { limit: 1_000, stop: true } },
        aliases: {},
        settings: {},
      }) as unknown as TenantSnapshot,
    clock,
    log: silentLog,
  })
  const titles = async () => (await alerts.page({ after: undefined, limit: 10 })).map(({ title }) => title).toSorted()
  return { store, watch, titles, asked, freshened }
}

it('a tenant that makes no calls is warned of what batches and trainings used, each percentage once', async () => {
  const { watch, titles } = await budgetWorld({ used: 850 })
  expect(await watch()).toBe(1)
  const warned = await eventually('both warnings are on record', async () => {
    const found = await titles()
    return found.length >= 2 ? found : undefined
  })
  expect(warned).toEqual([expect.stringMatching(/^50 %/), expect.stringMatching(/^80 %/)])
  await watch()
  expect(await titles()).toEqual(warned)
})

it('a budget that calls have just looked at is left to them', async () => {
  const { store, watch, asked } = await budgetWorld({ used: 850 })
  const state = { asOfMs: NOW_MS - 60_000, trueUpToHour: 0, spent: [], holders: new Map() }
  await store.write(scope, tenant, { state, tag: undefined })
  expect(await watch()).toBe(0)
  expect(asked).toEqual([])
})

it('a row that nobody has written for an hour is counted anew by the log', async () => {
  const { store, watch } = await budgetWorld({ used: 10 })
  const state = { asOfMs: NOW_MS - 3_600_000, trueUpToHour: 0, spent: [], holders: new Map() }
  await store.write(scope, tenant, { state, tag: undefined })
  expect(await watch()).toBe(1)
})

it('one that is not active is not looked at', async () => {
  const { watch } = await budgetWorld({ used: 850, state: 'suspended' })
  expect(await watch()).toBe(0)
})

it('the roll-up is brought up to date once, before the first of however many tenants is asked for', async () => {
  const { watch, freshened, asked } = await budgetWorld({ used: 10, tenants: 40 })
  expect(await watch()).toBe(40)
  expect(asked.length).toBeGreaterThanOrEqual(40)
  expect(freshened).toEqual([0])
})
