import { createAlerts, alertStorage } from '../../src/alerts/alerts'
import { systemChance } from '../../src/base/chance'
import { createIdMaker, type BackendId, type TenantId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { assembleCapacity, capacityStoreIn } from '../../src/capacity/assemble-capacity'
import { capacityStorage } from '../../src/capacity/capacity-store'
import { DAY_MS, startOfDay } from '../../src/capacity/day'
import { advanceRun, type RunForecastsDeps } from '../../src/capacity/run-forecasts'
import type { CallIntent, CallSettlement } from '../../src/metering/usage-record'
import { backendInput } from '../../src/routing/backend-input'
import { backendStorage, createBackends, type NewBackend } from '../../src/routing/backends'
import { platformTable } from '../../src/storage/platform-table'
import { tenantTable } from '../../src/storage/tenant-table'
import { createSnapshotStore } from '../../src/tenants/snapshot-store'
import { createTenantDirectory } from '../../src/tenants/tenant-directory'
import { tenantInput, type TenantInput } from '../../src/tenants/tenant-input'
import { createTenants, tenantStorage } from '../../src/tenants/tenants'
import { createRollUp } from '../../src/usage/run-roll-up'
import { createTenantsWithUsage } from '../../src/usage/tenants-with-usage'
import { createUsageReader } from '../../src/usage/usage-reader'
import { intentOf, settlementOf } from '../metering/records'
import { appendLines, linesOfCall, type History } from '../usage/histories'
import { blobName, freshUsage } from '../usage/usage-fixtures'

/** Day 0 of the tests, UTC: a Monday in the first week of a month. */
export const firstDay = Math.floor(Date.UTC(2026, 5, 1) / DAY_MS)
const HOUR_MS = 3_600_000

/** Forecasts over a real usage log, its real roll-up and real storage; only the time is the test's. */
export async function capacityWorld() {
  const usage = await freshUsage(startOfDay(firstDay))
  const { storage, clock, container, log } = usage
  const needs = [capacityStorage, alertStorage, backendStorage, tenantStorage]
  await storage.ensure({ tables: needs.flatMap(({ tables }) => [...tables]) })
  const ids = createIdMaker({ clock, chance: systemChance() })
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const backends = createBackends({ table: platformTable(storage.table('backends')), clock, log })
  const tenants = createTenants({
    table: tenantTable(storage.table('tenants')),
    directory: createTenantDirectory(platformTable(storage.table('tenantdirectory'))),
    snapshots: createSnapshotStore(tenantTable(storage.table('tenants'))),
    clock,
    knownBackends: backends.known,
    onChange: () => {},
  })
  const store = capacityStoreIn(storage)
  const rollUp = createRollUp({ storage, clock, log })
  const parts = {
    usage: createUsageReader({ storage, clock }),
    tenantsWithUsage: createTenantsWithUsage({ storage, clock }),
    tenants,
    backends,
    rollUp,
    alerts,
    clock,
    log,
  }
  const runDeps: RunForecastsDeps = { ...parts, store, tenantRows: tenantTable(storage.table('tenants')) }
  const histories = new Map<number, History[]>()
  let calls = 0

  return {
    ...usage,
    store,
    alerts,
    tenants,
    backends,
    ids,
    capacity: assembleCapacity({ ...parts, storage }),
    /** One page of a run. */
    page: () => advanceRun(runDeps, { begin: 'when-due', forMs: 0 }),
    tenant: async (input: Partial<TenantInput> = {}): Promise<TenantId> => {
      const tenantId = ids.tenantId()
      const whole = tenantInput.parse({
        displayName: 'Dune Travel',
        contact: { email: 'it@dune.example' },
        region: 'swedencentral',
        ...input,
      })
      const made = await tenants.register(tenantId, whole)
      if (made instanceof Problem) throw new Error(made.public)
      return tenantId
    },
    backend: async (input: Partial<NewBackend> = {}): Promise<BackendId> => {
      const id = ids.backendId()
      const whole = backendInput.parse({
        name: 'sweden',
        api: { kind: 'azure-openai' },
        endpoint: 'https://acct.openai.azure.com',
        deployment: 'mini',
        credential: { kind: 'identity' },
        region: 'swedencentral',
      })
      const made = await backends.create(id, { ...whole, ...input })
      if (made instanceof Problem) throw new Error(made.public)
      return id
    },
    /** One call in the minute of that hour of the day, with so many tokens; of the test's choosing besides. */
    call: (
      tenantId: TenantId,
      day: number,
      { tokens, hour = 10, minute = 30, ...more }: CallMade,
      settlement: Partial<CallSettlement> = {},
    ) => {
      const startMs = startOfDay(firstDay + day) + hour * HOUR_MS
      const made: History = {
        intent: intentOf(`${calls++}`, { tenantId, startedAt: startMs + minute * 60_000, ...more }),
        settlement: settlementOf({
          usage: { promptTokens: tokens, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
          costMicroUsd: tokens,
          ...settlement,
        }),
        blob: 1,
      }
      histories.set(startMs, [...(histories.get(startMs) ?? []), made])
    },
    /** Twenty minutes past the midnight behind that day, with everything of it in the log. */
    after: async (day: number) => {
      for (const [startMs, made] of [...histories].toSorted(([a], [b]) => a - b)) {
        await appendLines(container, blobName(startMs, 1), made.flatMap(linesOfCall))
        histories.delete(startMs)
      }
      clock.nowMs = startOfDay(firstDay + day + 1) + 20 * 60_000
      await rollUp.run()
    },
  }
}

export interface CallMade extends Partial<CallIntent> {
  readonly tokens: number
  readonly hour?: number
  readonly minute?: number
}
