import type { TenantId } from '../../src/base/ids'
import { usageLogContainer } from '../../src/metering/log-blob-name'
import { TenantScope } from '../../src/storage/tenant-scope'
import { createRollUp } from '../../src/usage/run-roll-up'
import { createTenant, expectStatus } from '../functions/control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'
import { handClock } from '../harness/hand-clock'
import { intentOf, settlementOf } from '../metering/records'
import { silentLog } from '../metering/read-all'
import { keepIncidents } from '../sla/promised-tenant'
import { upstreamFailed } from '../sla/sla-world'
import { appendLines, linesOfCall } from '../usage/histories'
import { blobName, setClock } from '../usage/usage-fixtures'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const monthMs = Date.UTC(2026, 9, 1)
const DAYS = 31
const CALLS_A_DAY = 40
/** Days of the month, from 0, on which there were calls, and how many of them failed. */
const failures = new Map([0, 3, 4, 7, 8, 9, 14, 18, 23, 28].map((day) => [day, { 8: 3, 9: 12, 23: 1 }[day] ?? 0]))

/** Names that would be markup, or would turn the text around them, if they were let. */
export const hostileName = 'Acme <script>alert(1)</script> שלום \u202Eevil'
export const hostileTitle = '<img src="https://elsewhere.example/x.png" onerror="alert(2)"> صيانة'

/** A platform on which a tenant has a month behind it: calls in the log, rolled up, with failures, incidents and maintenances. */
export async function reportedMonth(): Promise<{ server: ControlPlaneServer; apiKey: string; tenantId: string }> {
  const clock = handClock(monthMs - 2 * DAY_MS)
  const server = await serveControlPlane({ clock })
  const { tenantId, apiKey } = await createTenant(server, { displayName: hostileName })
  const scope = TenantScope.ofPlatform(tenantId as TenantId)
  await announce(server, hostileTitle, 4)
  await announce(server, 'A new network', 18)
  await keepIncidents({ storage: server.storage, clock: { now: () => monthMs + 9 * DAY_MS + 14 * HOUR_MS } }, scope, 3)
  await writeCalls(server, tenantId as TenantId)
  await clock.jump(monthMs + (DAYS + 3) * DAY_MS - clock.now())
  await createRollUp({ storage: server.storage, clock: setClock(clock.now()), log: silentLog }).run()
  return { server, apiKey, tenantId }
}

async function announce(server: ControlPlaneServer, title: string, day: number) {
  const at = (hour: number) => new Date(monthMs + day * DAY_MS + hour * HOUR_MS).toISOString()
  const body = { title, from: at(2), to: at(4), regions: ['swedencentral'] }
  expectStatus(await server.operate('POST', '/api/platform/maintenance', body), 201)
}

async function writeCalls({ storage }: ControlPlaneServer, tenantId: TenantId) {
  await storage.ensure({ containers: [usageLogContainer] })
  const container = storage.container(usageLogContainer)
  for (const [day, failed] of failures) {
    const startMs = monthMs + day * DAY_MS + 3 * HOUR_MS
    const calls = Array.from({ length: CALLS_A_DAY }, (_, at) => ({
      intent: intentOf(`${day}-${at}`, { tenantId, startedAt: startMs + at * 60_000 }),
      settlement: settlementOf(at < failed ? upstreamFailed : { latencyMs: 400 + 37 * at }),
      blob: 1,
    }))
    await appendLines(container, blobName(startMs, 1), calls.flatMap(linesOfCall))
  }
}
