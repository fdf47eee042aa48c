/** What a platform of so many tenants has in storage when its timers run: written by the app's own stores, past onboarding and calls. */
import { backendInput } from '../src/routing/backend-input'
import { keyInput } from '../src/access/key-input'
import { eachOf } from '../src/base/each-of'
import { Problem } from '../src/base/problem'
import { systemClock, type Clock } from '../src/base/clock'
import { createBillingRows, daysIn } from '../src/billing/billing-rows'
import { dayOf, daysOf, type Day } from '../src/billing/calendar'
import { createClosing } from '../src/billing/closing-state'
import { itemsOf, type DaySheet } from '../src/billing/day-sheet'
import { summaryOf } from '../src/billing/invoices'
import { makeInvoice, type InvoiceInputs } from '../src/billing/make-invoice'
import { planInput } from '../src/billing/plan'
import { SHELF_ROW } from '../src/files/shelves'
import { emptyShelf } from '../src/files/shelf'
import type { Platform } from '../src/compose'
import { usageLogContainer } from '../src/metering/log-blob-name'
import { slaPolicyInput } from '../src/sla/objective'
import type { StorageAccount } from '../src/storage/connect'
import { toJsonColumns } from '../src/storage/json-columns'
import { changesMax, partitionTable, type Columns } from '../src/storage/partition-table'
import { platformTable } from '../src/storage/platform-table'
import { TenantScope } from '../src/storage/tenant-scope'
import { tenantTable } from '../src/storage/tenant-table'
import { tenantInput } from '../src/tenants/tenant-input'
import { createBlobCursors } from '../src/usage/blob-cursors'
import { tenantNotes } from '../src/usage/tenant-notes'
import type { GroupSums } from '../src/usage/usage-sums'
import { cursorTable } from '../src/usage/usage-tables'
import { progress } from './machine'
import { writeMonthRows } from './month-of-usage'
import { tenantOf, writeDay } from './usage-log-maker'

const DAY_MS = 86_400_000
const WRITTEN_AT_ONCE = 16
const GIB = 2 ** 30
/** One tenant in so many has a key that ends within the week. */
const ENDING_EVERY = 10

/** When the timers run: the fifth of July, so that June can be billed and its service levels reported. */
export const NOW_MS = Date.UTC(2026, 6, 5, 6, 20, 30)
/** When the tenants came. */
export const SINCE_MS = Date.UTC(2026, 4, 20, 12)
/** From here on usage is in the log and not rolled up yet. */
const LOGGED_FROM_MS = Date.UTC(2026, 6, 5)
/** The last day that is not closed, and the month that is to be billed behind it. */
const OPEN_DAY: Day = '2026-07-03'
const BILLED = '2026-06'
const BILLED_BEFORE = '2026-05'

/** Stands at a wall time until it is moved; waits take real time. */
export const standingClock = (nowMs: number): Clock & { nowMs: number } => ({
  ...systemClock,
  nowMs,
  now() {
    return this.nowMs
  },
})

const BACKENDS = ['bke_00000000000000000000000000', 'bke_00000000000000000000000001'] as const

export async function makeTimedTenants(
  { platform, storage }: { platform: Platform; storage: StorageAccount },
  { tenants, days, seed }: { tenants: number; days: number; seed: number },
): Promise<void> {
  await makeBackends(platform)
  let done = 0
  await eachOf(numbersTo(tenants), WRITTEN_AT_ONCE, async (number) => {
    await makeTenant(platform, storage, number)
    progress('tenants', ++done, tenants)
  })
  const sheets = sheetWriter(storage)
  await writeMonthRows(storage, { tenants, days, endMs: LOGGED_FROM_MS, seed, onTenant: sheets }, (written) =>
    progress('usage of a month', written, tenants),
  )
  await noteUsage(storage, { tenants, fromMs: LOGGED_FROM_MS - days * DAY_MS })
  await logSince(storage, { tenants, seed })
  await beginBilling(storage)
}

async function makeBackends({ controlPlane }: Platform): Promise<void> {
  for (const [at, id] of BACKENDS.entries()) {
    const input = backendInput.parse({
      name: `bench-${at}`,
      api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
      endpoint: 'http://127.0.0.1:9',
      deployment: 'bench',
      credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' },
      region: 'swedencentral',
    })
    sound(await controlPlane.backends.create(id, input))
  }
}

async function makeTenant({ controlPlane }: Platform, storage: StorageAccount, number: number): Promise<void> {
  const { tenants, keys, billing, sla } = controlPlane
  const tenantId = tenantOf(number)
  const scope = TenantScope.ofPlatform(tenantId)
  const members = BACKENDS.map((backendId) => ({ backendId }))
  const alias = { model: 'gpt-4.1-mini', capabilities: ['chat'], groups: [{ members }] }
  const input = tenantInput.parse({
    displayName: `Bench ${number}`,
    contact: { email: 'bench@bench.example' },
    tier: 'premium',
    region: 'swedencentral',
    budgetOverrides: { tokensPerMonth: { limit: 1_000_000_000, stop: false } },
    aliases: [
      { name: 'chat', ...alias },
      { name: 'chat-large', ...alias },
    ],
  })
  sound(await tenants.register(tenantId, input))
  sound(await tenants.transition(scope, 'activate'))
  const ends = new Date(NOW_MS + 5 * DAY_MS).toISOString()
  for (const key of [0, 1]) {
    const ending = key === 1 && number % ENDING_EVERY === 0 ? { expiresAt: ends } : {}
    const keyId = `key_${String(key).padStart(26, '0')}` as const
    sound(await keys.create(scope, keyId, keyInput.parse({ name: `key ${key}`, ...ending })))
  }
  const plan = planInput.parse({ kind: 'minimum', microUsdPerMonthMin: 10_000_000 })
  sound(await billing.plans.set(scope, { from: '2026-06-01', plan }, () => true))
  const policy = slaPolicyInput.parse({
    objectives: [
      { kind: 'availability', percent: 90 },
      { kind: 'latency', p95Ms: 60_000 },
    ],
  })
  sound(await sla.store.putPolicy(scope, policy, () => true))
  const shelf = { ...emptyShelf, files: 1, bytes: GIB }
  await tenantTable<Columns>(storage.table('files')).put(scope, SHELF_ROW, toJsonColumns(shelf))
  await putMay(storage, scope, `Bench ${number}`)
}

/** The month before has its invoice, so that what came to be known of it since is looked for. */
async function putMay(storage: StorageAccount, scope: TenantScope, billedTo: string): Promise<void> {
  const rows = billingRowsIn(storage)
  const { from, to } = daysIn(BILLED_BEFORE)
  const inputs: InvoiceInputs = {
    tenantId: scope.tenantId,
    period: BILLED_BEFORE,
    billedTo,
    served: { from, to },
    plans: [],
    storage: [],
    storagePrices: [],
    credits: [],
    carriedOverMicroUsd: 0,
    lateMicroUsd: 0,
  }
  const invoice = { inputs, made: makeInvoice(inputs, []), sheetsSha256: '', issuedAt: SINCE_MS }
  await rows.insertInvoice(scope, invoice)
  await rows.putSummary(summaryOf(invoice))
}

const billingRowsIn = (storage: StorageAccount) => {
  const table = storage.table('billing')
  return createBillingRows({ tenantRows: tenantTable<Columns>(table), platformRows: platformTable<Columns>(table) })
}

/** The sheets of the days that are closed, as closing them would have left them. */
function sheetWriter(storage: StorageAccount) {
  const rows = tenantTable<Columns>(storage.table('billing'))
  const closed = new Set(daysOf(BILLED))
  return async (scope: TenantScope, byDay: ReadonlyMap<number, readonly GroupSums[]>) => {
    const sheets = [...byDay].map(([dayMs, groups]): DaySheet => ({
      day: dayOf(dayMs),
      items: itemsOf(groups, () => 'metered'),
      provisioned: [],
    }))
    const changes = sheets
      .filter(({ day }) => closed.has(day))
      .map((sheet) => ({ kind: 'insert', rowKey: `day~${sheet.day}`, columns: toJsonColumns(sheet) }) as const)
    if (changes.length > 0) await rows.partition(scope).change(changes)
  }
}

/** Who used something on which days, as the roll-up notes it, and up to when it has done its work. */
async function noteUsage(
  storage: StorageAccount,
  { tenants, fromMs }: { tenants: number; fromMs: number },
): Promise<void> {
  const table = storage.table(cursorTable)
  const partitions = new Set([tenantNotes.month(fromMs), tenantNotes.month(LOGGED_FROM_MS)])
  for (let dayMs = fromMs; dayMs < LOGGED_FROM_MS; dayMs += DAY_MS) partitions.add(tenantNotes.day(dayMs))
  const ids = Array.from({ length: tenants }, (_, number) => tenantOf(number))
  for (const partition of partitions)
    for (let at = 0; at < ids.length; at += changesMax)
      await partitionTable<{}>(table, partition).change(
        ids.slice(at, at + changesMax).map((rowKey) => ({ kind: 'put', rowKey, columns: {} })),
      )
  const cursors = createBlobCursors(storage)
  for (const mark of ['rolled-up', 'compacted'] as const) await cursors.finish(mark, LOGGED_FROM_MS)
}

async function logSince(storage: StorageAccount, { tenants, seed }: { tenants: number; seed: number }): Promise<void> {
  const container = storage.container(usageLogContainer)
  for (let startMs = LOGGED_FROM_MS; startMs < NOW_MS; startMs += DAY_MS)
    await writeDay(container, { tenants, startMs, nowMs: NOW_MS - 60_000, seed }, (hours) =>
      progress(`logging ${dayOf(startMs)}`, hours, 24),
    )
  process.stderr.write('\n')
}

/** It has billed May, and closed all days but the last. */
async function beginBilling(storage: StorageAccount): Promise<void> {
  const rows = platformTable<Columns>(storage.table('billing'))
  const closing = createClosing({ rows, clock: standingClock(Date.UTC(2026, 5, 10)) })
  await closing.advance({ openDay: OPEN_DAY, openPeriod: BILLED })
}

async function* numbersTo(end: number): AsyncGenerator<number> {
  for (let number = 0; number < end; number++) yield number
}

function sound<T>(result: T | Problem): T {
  if (result instanceof Problem) throw new Error(`${result.code}: ${result.public}`)
  return result
}
