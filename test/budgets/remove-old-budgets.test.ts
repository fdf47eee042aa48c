import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import type { BudgetState, Holder } from '../../src/budgets/budget-state'
import { tableBudgetStore, type BudgetSubject } from '../../src/budgets/budget-store'
import { budgetStorage } from '../../src/budgets/create-budget-keeper'
import { removeOldBudgets } from '../../src/budgets/remove-old-budgets'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable, type TenantTable } from '../../src/storage/tenant-table'
import type { Columns } from '../../src/storage/tenant-table'

const DAY_MS = 86_400_000
const JUNE = Date.UTC(2026, 5, 1)
const ids = ['ten_a', 'ten_b'] as const
const [a, b] = ids.map((id) => TenantScope.ofPlatform(id)) as [TenantScope, TenantScope]
const key: BudgetSubject = { kind: 'key', keyId: 'key_gone' }
const alias: BudgetSubject = { kind: 'alias', alias: 'gone' }
const tenant: BudgetSubject = { kind: 'tenant' }

const holding = (expiresAtMs: number): Holder => ({
  expiresAtMs,
  lease: { tokens: 5, microUsd: 0 },
  spent: [],
  foldedToHour: 0,
})
const stateAt = (asOfMs: number, holder?: Holder): BudgetState => ({
  asOfMs,
  trueUpToHour: 0,
  spent: [{ hour: Math.floor(asOfMs / 3_600_000), tokens: 10, microUsd: 0 }],
  holders: new Map(holder ? [['ins_1', holder]] : []),
})

async function rows(nowMs: number) {
  const storage = freshStorage()
  await storage.ensure(budgetStorage)
  const table = tenantTable<Columns>(storage.table('budgets'))
  const store = tableBudgetStore(table)
  const tenantIds = async function* () {
    yield* ids
  }
  return {
    table,
    put: (scope: TenantScope, subject: BudgetSubject, state: BudgetState) =>
      store.write(scope, subject, { state, tag: undefined }),
    has: async (scope: TenantScope, subject: BudgetSubject) => (await store.read(scope, subject)) !== undefined,
    clean: (through: TenantTable<Columns> = table) =>
      removeOldBudgets({ table: through, tenantIds, clock: handClock(nowMs) }),
  }
}

it('rows of a month that is over are removed, of whatever they were, and those of this one stay', async () => {
  const { put, has, clean } = await rows(JUNE + 2 * DAY_MS)
  await put(a, key, stateAt(JUNE - 1))
  await put(a, alias, stateAt(JUNE - 20 * DAY_MS, holding(JUNE - 20 * DAY_MS + 30_000)))
  await put(b, tenant, stateAt(JUNE))
  expect(await clean()).toBe(2)
  expect([await has(a, key), await has(a, alias), await has(b, tenant)]).toEqual([false, false, true])
  expect(await clean()).toBe(0)
})

it('a row stays while something is held of it, as for a batch over the month’s turn', async () => {
  const { put, has, clean } = await rows(JUNE + 2 * DAY_MS)
  await put(a, tenant, stateAt(JUNE - 60_000, holding(JUNE + 3 * DAY_MS)))
  expect(await clean()).toBe(0)
  expect(await has(a, tenant)).toBe(true)
})

it('in the hour after midnight nothing of the month before is over yet', async () => {
  const { put, clean } = await rows(JUNE + 30 * 60_000)
  await put(a, key, stateAt(JUNE - 60_000))
  expect(await clean()).toBe(0)
})

it('a row that an instance writes at that very moment stays as it was written', async () => {
  const { table, put, has, clean } = await rows(JUNE + 2 * DAY_MS)
  await put(a, key, stateAt(JUNE - 1))
  const store = tableBudgetStore(table)
  const racing: TenantTable<Columns> = {
    ...table,
    partition: (scope) => {
      const partition = table.partition(scope)
      return {
        ...partition,
        remove: async (rowKey, etag) => {
          await store.write(a, key, { state: stateAt(JUNE + DAY_MS), tag: (await store.read(a, key))?.tag })
          await partition.remove(rowKey, etag)
        },
      }
    },
  }
  await clean(racing)
  expect(await has(a, key)).toBe(true)
})
