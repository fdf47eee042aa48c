import { createBillingRows } from '../../src/billing/billing-rows'
import { createCapacityStore } from '../../src/capacity/capacity-store'
import { createHousekeepingStore } from '../../src/housekeeping/housekeeping-store'
import { createRotatedAccounts } from '../../src/key-rotation/rotated-accounts'
import { createNeighbourStore } from '../../src/neighbours/neighbour-store'
import { defaultPolicy } from '../../src/neighbours/noisy-policy'
import { noUse } from '../../src/reconciliation/explain-drift'
import { createReconciliationStore } from '../../src/reconciliation/reconciliation-store'
import { minuteOf } from '../../src/sla/minute-counts'
import { createSlaStore } from '../../src/sla/sla-store'
import { createWatchedTenants } from '../../src/sla/watched-tenants'
import { createBlobCursors } from '../../src/usage/blob-cursors'
import { createDayRows } from '../../src/usage/day-rows'
import { createPeriodReports } from '../../src/usage/period-reports'
import { createRollUp } from '../../src/usage/run-roll-up'
import { percentilesOf } from '../../src/usage/usage-percentiles'
import { createUsageReader } from '../../src/usage/usage-reader'
import { newSketches } from '../../src/usage/usage-sketches'
import { zeroSums } from '../../src/usage/usage-sums'
import { usageLogContainer } from '../../src/metering/log-blob-name'
import { handClock } from '../harness/hand-clock'
import { intentOf, settlementOf } from '../metering/records'
import { appendLines, linesOfCall } from '../usage/histories'
import { blobName } from '../usage/usage-fixtures'
import {
  DAY_MS,
  accountId,
  address,
  scope,
  tenantId,
  writtenAt,
  type GoldenStore,
  type GoldenWorld,
} from './golden-world'

const billing = ({ own, rows }: GoldenWorld) =>
  createBillingRows({ tenantRows: rows('billing'), platformRows: own('billing') })

const capacity = ({ own, rows }: GoldenWorld) =>
  createCapacityStore({ tenants: rows('capacity'), platform: own('capacity') })

/** Two calls of two days, rolled up and taken together as the timers do it days later. */
async function writeUsage({ storage, log }: GoldenWorld): Promise<void> {
  const container = storage.container(usageLogContainer)
  for (const [n, startedAt] of [writtenAt + 1_000, writtenAt + DAY_MS].entries()) {
    const call = { intent: intentOf(n, { tenantId, startedAt }), settlement: settlementOf(), blob: n }
    await appendLines(container, blobName(startedAt, n), linesOfCall(call))
  }
  const rollUp = createRollUp({ storage, clock: handClock(writtenAt + 3 * DAY_MS), log })
  await rollUp.run()
  await rollUp.compact()
}

const usageSpan = { fromMs: writtenAt, toMs: writtenAt + 2 * DAY_MS }

/** What is counted, judged and looked after. */
export const goldenWatchingStores: readonly GoldenStore[] = [
  {
    tables: ['billing'],
    write: async (world) => {
      await billing(world).putHeld(scope, { day: '2026-01-01', bytes: 5_000_000_000 })
      await billing(world).noteBilled('2026-01', tenantId)
    },
    read: async (world) => [
      await billing(world).held(scope, { from: '2026-01-01', to: '2026-01-31' }),
      await Array.fromAsync(billing(world).billed('2026-01')),
    ],
  },
  {
    tables: ['usageminutes', 'usagedays', 'usageblobs'],
    write: writeUsage,
    read: async ({ storage, clock }) => {
      const cursors = createBlobCursors(storage)
      return [
        await Array.fromAsync(createUsageReader({ storage, clock }).read(scope, usageSpan, 'hour')),
        await Array.fromAsync(createDayRows({ storage, clock }).read(scope, usageSpan)),
        [...(await cursors.ofHour(writtenAt))],
        await Array.fromAsync(cursors.tenantsOf(writtenAt)),
      ]
    },
  },
  {
    tables: ['usagereports'],
    write: ({ storage }) => {
      const none = { rows: [], others: null }
      return createPeriodReports(storage).put(scope, {
        period: '2026-01',
        kind: 'month',
        from: '2026-01-01T00:00:00.000Z',
        to: '2026-02-01T00:00:00.000Z',
        asOf: '2026-02-01T03:00:00.000Z',
        isFinal: false,
        totals: { ...zeroSums(), ...percentilesOf(newSketches()) },
        days: [],
        aliases: none,
        keys: none,
      })
    },
    read: ({ storage }) => createPeriodReports(storage).list(scope, { kind: 'month', before: undefined, limit: 10 }),
  },
  {
    tables: ['capacity'],
    write: (world) => capacity(world).rank(7, `000_${tenantId}`),
    read: (world) => Array.fromAsync(capacity(world).ranking(7)),
  },
  {
    tables: ['neighbours'],
    write: ({ storage }) => createNeighbourStore(storage).policies.put(scope, { ...defaultPolicy, notifyMinutes: 4 }),
    read: ({ storage }) => createNeighbourStore(storage).policies.get(scope),
  },
  {
    tables: ['sla', 'slaindex'],
    write: async ({ own, rows }) => {
      const state = { throughMinute: minuteOf(writtenAt), objectives: {}, untold: [] }
      await createSlaStore(rows('sla')).putState(scope, { state, etag: undefined, incidents: [] })
      await createWatchedTenants(own('slaindex')).note(tenantId)
      await createWatchedTenants(own('slaindex')).lookedUpTo(writtenAt)
    },
    read: async ({ own, rows }) => [
      (await createSlaStore(rows('sla')).state(scope))?.state,
      await Array.fromAsync(createWatchedTenants(own('slaindex')).all()),
      await createWatchedTenants(own('slaindex')).lookedUpToMs(),
    ],
  },
  {
    tables: ['reconciliation'],
    write: ({ storage }) => {
      const counted = { requests: 1, promptTokens: 2, outputTokens: 3 }
      return createReconciliationStore(storage).putRow({
        hourMs: writtenAt,
        accountId,
        deployment: 'mini-1',
        look: 'final',
        comparedAtMs: writtenAt + DAY_MS,
        theirs: counted,
        ours: { ...noUse, counted },
        drift: { requests: 0, promptTokens: 0, outputTokens: 0 },
        parts: [],
      })
    },
    read: ({ storage }) =>
      createReconciliationStore(storage).page({
        fromMs: writtenAt,
        toMs: writtenAt + DAY_MS,
        deployment: undefined,
        drifted: false,
        after: undefined,
        limit: 10,
      }),
  },
  {
    tables: ['accountkeys'],
    write: ({ own }) =>
      createRotatedAccounts(own('accountkeys')).change(address, () => ({
        accountId,
        address,
        everyDays: 90,
        adoptedAt: writtenAt,
      })),
    read: ({ own }) => createRotatedAccounts(own('accountkeys')).list(),
  },
  {
    tables: ['housekeeping'],
    write: ({ own }) =>
      createHousekeepingStore(own('housekeeping')).see('pepper', { fingerprint: 'f1', sinceMs: writtenAt }),
    // What is there has the same fingerprint, and is older.
    read: ({ own }) =>
      createHousekeepingStore(own('housekeeping')).see('pepper', { fingerprint: 'f1', sinceMs: writtenAt + DAY_MS }),
  },
]
