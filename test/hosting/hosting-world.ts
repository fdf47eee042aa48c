import { createArm } from '../../src/azure/arm-client'
import { createSmallHttp } from '../../src/azure/small-http'
import { createUpstreamHttp } from '../../src/azure/upstream-http'
import type { ModelId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import type { ChecklistInput } from '../../src/checklists/run-checklist'
import { dataKeyStorage } from '../../src/encryption/tenant-keys'
import { assembleHosting, assembleMeters, hostingNeeds } from '../../src/hosting/assemble-hosting'
import type { UseRow } from '../../src/hosting/judge-idle'
import type { HostingOrder } from '../../src/hosting/hosting-order'
import { createLateUsage } from '../../src/metering/late-usage'
import { createRegistry } from '../../src/registry/registry'
import { backendStorage, createBackends } from '../../src/routing/backends'
import { placeStorage } from '../../src/storage/places'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import type { TenantInput } from '../../src/tenants/tenant-input'
import { tenantStorage } from '../../src/tenants/tenants'
import { createModelDeployments } from '../../src/tuning/model-deployments'
import { queryUsage } from '../../src/usage/query-usage'
import { createRollUp, usageStorage } from '../../src/usage/run-roll-up'
import { tokenWith } from '../azure/json-server'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { tenantInput } from '../harness/tenant-input'
import { tenantParts } from '../harness/tenant-parts'
import { silentLog } from '../metering/read-all'
import { startArm } from '../provisioning/arm-server'
import { sharedAccount } from '../provisioning/platform'
import { TUNED_MODEL, TUNED_RELEASE, tunedVersion } from '../registry/tuned-version'

export const HOUR_MS = 3_600_000
export const DRAIN_MS = 20 * 60_000
export const IDLE_MS = 3 * HOUR_MS
const STEPS_MAX = 40

/** Tenants with tuned models, on Azurite, against an ARM of the test's over real sockets; the clock is moved by hand. */
export async function hostingWorld() {
  const storage = freshStorage()
  for (const needs of [tenantStorage, backendStorage, dataKeyStorage, placeStorage, usageStorage, hostingNeeds])
    await storage.ensure(needs)
  // Storage takes no signatures of a time long past.
  const clock = handClock(Math.floor(Date.now() / HOUR_MS) * HOUR_MS)
  const armServer = await startArm()
  const [http, upstream] = [createSmallHttp(), createUpstreamHttp()]
  const identity = {
    getToken: async () => ({
      token: tokenWith({ oid: 'bbbbbbbb-0000-4000-8000-00000000000b' }),
      expiresOnTimestamp: clock.now() + HOUR_MS,
    }),
  }
  const arm = createArm({ url: armServer.url, audience: armServer.url, identity, http })
  const account = sharedAccount('one')
  await arm.put(account, '2024-10-01', { location: 'Sweden Central', properties: {} })
  for (let look = 0; look < 3; look++) await arm.get(account, '2024-10-01')

  const backends = createBackends({ table: platformTable(storage.table('backends')), clock, log: silentLog })
  const parts = tenantParts({ storage, clock, log: silentLog, knownBackends: backends.known })
  const { ids, keyring, records, snapshots, tenants } = parts
  const registry = createRegistry(records)
  const lateUsage = createLateUsage({ storage, clock })
  const { rows, meters } = assembleMeters({ storage, lateUsage, clock })
  const deployments = createModelDeployments({
    registry,
    arm,
    backends,
    tenants,
    meters,
    upstream,
    credentials: { headerOf: () => undefined },
    clock,
  })
  let uses: readonly UseRow[] = []
  const hosting = assembleHosting({
    storage,
    registry,
    tenants,
    deployments,
    meters,
    rows,
    arm,
    usageOf: async () => ({ rows: uses }),
    idleMs: IDLE_MS,
    drainMs: DRAIN_MS,
    clock,
    log: silentLog,
  })

  /** What checklists were begun; each is walked by `walk`. */
  const begun = new Map<string, ChecklistInput>()
  const orchestrations = {
    start: async (_: string, instanceId: string, input: unknown) => {
      if (!begun.has(instanceId)) begun.set(instanceId, input as ChecklistInput)
    },
  }

  return {
    armServer,
    arm,
    account,
    clock,
    ids,
    registry,
    backends,
    tenants,
    snapshots,
    rows,
    meters,
    lateUsage,
    storage,
    deployments,
    hosting,
    begun,
    orchestrations,
    sayUses: (said: readonly UseRow[]) => void (uses = said),
    newTenant: async (more: Partial<TenantInput> = {}, tenantId = ids.tenantId()) => {
      const scope = TenantScope.ofPlatform(tenantId)
      await keyring.create(scope)
      const base = ids.backendId()
      const backend = {
        endpoint: armServer.url,
        deployment: 'base',
        region: 'swedencentral',
        capacity: 'payg' as const,
      }
      await backends.create(base, {
        ...backend,
        name: 'base',
        api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
        credential: { kind: 'none' },
        enabled: true,
      })
      const aliases = [{ name: 'chat', model: TUNED_MODEL, groups: [{ members: [{ backendId: base, weight: 1 }] }] }]
      const made = await tenants.register(scope.tenantId, tenantInput({ aliases, ...more }))
      if (made instanceof Problem) throw new Error(made.public)
      await tenants.transition(scope, 'activate')
      return { scope, base }
    },
    /** A version that is trained, and not deployed. */
    newModel: (scope: TenantScope, suffix?: string) =>
      registry.register(
        scope,
        tunedVersion(
          { ids, nowMs: clock.now(), suffix },
          {
            upstream: {
              model: `${TUNED_RELEASE}.ft-upstream`,
              accountId: account,
              account: {
                endpoint: `${armServer.url}/data/one`,
                api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
                credential: { kind: 'none' },
              },
              region: 'swedencentral',
            },
          },
        ),
      ),
    /** Asks until it is deployed, or cannot be. */
    deployed: async (
      scope: TenantScope,
      id: ModelId,
      wish: Parameters<typeof deployments.ensure>[2] = { sku: 'Standard', capacity: 10 },
    ) => {
      for (let step = 0; step < STEPS_MAX; step++) {
        const outcome = await deployments.ensure(scope, id, wish, 'test')
        if (outcome.kind !== 'not-yet') return outcome
      }
      throw new Error('the model was never deployed')
    },
    /** Does the steps of a checklist that was begun, as its orchestration would; what it ended with. */
    walk: async (operationId: string, onWait: (step: string, ms: number) => Promise<void> | void = () => {}) => {
      const started = begun.get(operationId)
      if (!started) throw new Error(`${operationId} was not begun`)
      const input = started.input as HostingOrder
      const operation = { operationId, tenantId: started.tenantId, input, stepStartedAt: clock.now() }
      const host = { orchestrations: { purge: async () => {}, running: async () => [], ended: async () => [] } }
      const done: string[] = []
      for (const step of hosting.checklist.steps) {
        if (step.applies?.(input) === false) continue
        for (let turn = 0; ; turn++) {
          if (turn > STEPS_MAX * 10) throw new Error(`${step.id} never ended`)
          const outcome = await step.do(operation, host)
          if (outcome.kind === 'not-yet') {
            await onWait(step.id, outcome.againAfterMs)
            continue
          }
          if (outcome.kind !== 'done') {
            for (const before of [...done, step.id].toReversed()) {
              const undo = hosting.checklist.steps.find(({ id }) => id === before)?.undo
              for (let turn = 0; turn < STEPS_MAX; turn++) if ((await undo?.(operation))?.kind !== 'not-yet') break
            }
            // As the host does with one that ended badly: it may be begun again.
            begun.delete(operationId)
            return outcome
          }
          done.push(step.id)
          break
        }
      }
      return { kind: 'done' as const }
    },
    /** As its tenant is shown it. */
    usage: async (scope: TenantScope, query: Record<string, string>) => {
      const rollUp = createRollUp({ storage, clock, log: silentLog })
      const answer = await queryUsage({ storage, clock, rollUp }, scope, query)
      if (answer instanceof Problem) throw new Error(answer.public)
      return answer
    },
    deploymentIds: () => armServer.ids().filter((each) => each.includes('/deployments/')),
    aliasOf: async (scope: TenantScope, name: string) => (await snapshots.read(scope.tenantId))?.aliases[name],
    [Symbol.asyncDispose]: async () => {
      await Promise.all([http.close(), upstream.close(), lateUsage.close()])
      await armServer.close()
    },
  }
}

export type HostingWorld = Awaited<ReturnType<typeof hostingWorld>>
