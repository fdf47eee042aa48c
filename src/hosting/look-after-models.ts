import type { Arm, ArmOutcome } from '../azure/arm'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { Problem } from '../base/problem'
import { COGNITIVE_API_VERSION } from '../provisioning/own-deployments'
import type { ModelVersion } from '../registry/model-version'
import type { Registry } from '../registry/registry'
import { TenantScope } from '../storage/tenant-scope'
import { isPlatformOwner } from '../tenants/platform-owner'
import type { Tenants } from '../tenants/tenants'
import { resourceIdOf } from '../tuning/make-deployment'
import type { ModelDeployments } from '../tuning/model-deployments'
import type { HostingBeginnings } from './begin-hosting'
import { HOUR_MS, hourOf, isBooked, type HostingMeter } from './hosting-meter'
import type { BookedMeters } from './hosting-meters'
import { HOSTING_BY } from './hosting-order'
import { idleMsOf, isIdle, mayBeIdle, type UseRow } from './judge-idle'
import { aliasesOf } from './leads-to-model'
import type { MeterRows } from './meter-rows'

export interface LookAfterDeps {
  readonly rows: MeterRows
  readonly meters: BookedMeters
  readonly registry: Pick<Registry, 'get'>
  readonly tenants: Pick<Tenants, 'get'>
  readonly deployments: Pick<ModelDeployments, 'remove' | 'goOn' | 'redeploy'>
  readonly arm: Pick<Arm, 'get'>
  readonly usageOf: (
    scope: TenantScope,
    query: Readonly<Record<string, string>>,
  ) => Promise<{ readonly rows: readonly UseRow[] } | Problem>
  readonly ask: HostingBeginnings['ask']
  readonly idleMs: number
  readonly drainMs: number
  readonly clock: Clock
  readonly log: Log
}

/** Below the interval of the timer; whoever is left comes first the next time, since the others are not due again then. */
const RUN_MS_MAX = 4 * 60_000
/** Azure takes a deployment of the developer tier down after 24 hours, whatever it does (azure-facts 3.4). */
const DEVELOPER_MS_MAX = 24 * HOUR_MS
/** A removal that nobody has ended for so long has no checklist any more. */
const ABANDONED_MS = 7 * HOUR_MS

/**
 * Looks after every model that was ever deployed, each once an hour: books what was hosted, notices what Azure took down by itself,
 * ends removals that broke off, and has what is idle put to sleep. Late, twice at once or broken off: each of it can be repeated.
 * How many were looked after.
 */
export async function lookAfterModels(deps: LookAfterDeps): Promise<number> {
  const { clock, log } = deps
  const endMs = clock.monotonicMs() + RUN_MS_MAX
  let count = 0
  for await (const { tenantId, meter } of deps.rows.every()) {
    if (meter.lookAtMs > clock.now()) continue
    if (clock.monotonicMs() > endMs) break
    count++
    try {
      await lookAfter(deps, tenantId, meter)
    } catch (error) {
      // Of one whose data is being moved or deleted, say; the next run comes.
      log.warn('a tuned model could not be looked after', {
        tenantId,
        modelId: meter.modelId,
        error: describeError(error),
      })
    }
  }
  return count
}

async function lookAfter(deps: LookAfterDeps, tenantId: TenantId, meter: HostingMeter): Promise<void> {
  const scope = TenantScope.ofPlatform(tenantId)
  const { modelId } = meter
  const model = await deps.registry.get(scope, modelId)
  // The deployment of a version that is gone went before it, and was booked then.
  if (!model && isBooked(meter)) return deps.rows.remove(scope, modelId)
  if (!model) throw new Error('its model is not there')
  // A copy in another region stands by: nobody calls it before the day on which it has to answer.
  const isKept = isPlatformOwner(tenantId) || model?.lineage.copyOf !== undefined
  const look = isKept ? keepShared : lookAtDeployment
  const seen = await look(deps, scope, { model, meter })
  // Behind the look: of one that is gone nothing is booked that it was not seen for.
  await deps.meters.book(scope, model)
  const nowMs = deps.clock.now()
  await deps.rows.change(scope, modelId, (before) =>
    before?.fromMs === meter.fromMs
      ? {
          ...before,
          ...(seen === 'there' ? { seenMs: nowMs } : {}),
          lookAtMs: seen === 'coming' ? nowMs : nextLookMs(before, nowMs),
        }
      : before,
  )
}

/** Behind the next hour's beginning, when there is an hour to book; of the developer tier behind its end, too. */
function nextLookMs(meter: HostingMeter, nowMs: number): number {
  const { sku, fromMs, untilMs } = meter
  const usualMs = hourOf(nowMs) + HOUR_MS
  // Nothing more happens to it before it is deployed again, which writes another time.
  if (untilMs !== undefined) return isBooked(meter) ? nowMs + DEVELOPER_MS_MAX : usualMs
  const endMs = fromMs + DEVELOPER_MS_MAX
  return sku === 'DeveloperTier' ? Math.min(usualMs, Math.max(endMs, nowMs)) : usualMs
}

/** Whether Azure has it; `coming`: that is not sure yet, and looked at again before the next hour. */
type Seen = 'there' | 'not-there' | 'coming'

async function lookAtDeployment(
  deps: LookAfterDeps,
  scope: TenantScope,
  { model, meter }: { model: ModelVersion; meter: HostingMeter },
): Promise<Seen> {
  const { deployment, id } = model
  const nowMs = deps.clock.now()
  if (deployment.kind === 'removing' && nowMs - deployment.sinceMs > deps.drainMs + ABANDONED_MS) {
    await deps.deployments.goOn(scope, id, { kind: 'asleep', by: HOSTING_BY, drainMs: deps.drainMs })
    return 'not-there'
  }
  const isGoing = deployment.kind === 'removing' && deployment.isDrained
  if (deployment.kind !== 'deployed' && !isGoing) return 'not-there'
  const found = await deps.arm.get(resourceIdOf(deployment.plan), COGNITIVE_API_VERSION)
  if (found.kind === 'gone') {
    // Also what was begun so and broke off; a checklist that is at it does the same.
    const removed = await deps.deployments.remove(scope, id, {
      kind: 'asleep',
      by: HOSTING_BY,
      ...(isGoing ? {} : { detail: 'Azure has taken the deployment down.' }),
      hostedUntilMs: meter.seenMs,
    })
    return removed.kind === 'removed' ? 'not-there' : 'coming'
  }
  if (isGoing) return 'not-there'
  if (await isUnused(deps, scope, model)) await deps.ask(scope.tenantId, id, 'sleep')
  return seenOf(found)
}

/** Where ARM does not say it now, it is asked again soon. */
function seenOf({ kind }: ArmOutcome): Seen {
  if (kind === 'ready') return 'there'
  return kind === 'busy' || kind === 'under-way' ? 'coming' : 'not-there'
}

/**
 * A model of the platform's own is led to by aliases of many tenants, in whose usage its calls are: it does not sleep, and one that
 * Azure has taken down is made again before anybody asks. Whoever offers it retires it.
 */
async function keepShared(
  deps: LookAfterDeps,
  scope: TenantScope,
  { model, meter }: { model: ModelVersion; meter: HostingMeter },
): Promise<Seen> {
  const { deployment, id } = model
  if (deployment.kind !== 'deployed' && deployment.kind !== 'deploying') return 'not-there'
  const found = await deps.arm.get(resourceIdOf(deployment.plan), COGNITIVE_API_VERSION)
  if (deployment.kind === 'deployed' && found.kind !== 'gone') return seenOf(found)
  if (found.kind === 'gone') await deps.meters.end(scope, model, meter.seenMs)
  const made = await deps.deployments.redeploy(scope, id, HOSTING_BY)
  if (made.kind === 'failed')
    deps.log.error('a shared model could not be deployed again', { modelId: id, code: made.problem.code })
  return made.kind === 'ready' ? 'there' : 'coming'
}

async function isUnused(deps: LookAfterDeps, scope: TenantScope, model: ModelVersion): Promise<boolean> {
  const { deployment } = model
  const record = await deps.tenants.get(scope)
  if (!record) return false
  const nowMs = deps.clock.now()
  const idleMs = idleMsOf(record.settings, deps.idleMs)
  if (!mayBeIdle(deployment, { idleMs, nowMs })) return false
  const [from, to] = [new Date(nowMs - idleMs).toISOString(), new Date(nowMs).toISOString()]
  const report = await deps.usageOf(scope, { from, to, groupBy: 'alias,backend,operation' })
  if (report instanceof Problem) throw new Error(`what a model was used for cannot be read: ${report.public}`)
  const aliases = new Set(aliasesOf(record, model))
  return isIdle({ deployment, aliases, uses: report.rows, idleMs, nowMs })
}
