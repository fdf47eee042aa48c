import type { TenantId } from '../base/ids'
import type { Backend } from '../routing/backend'
import { TenantScope } from '../storage/tenant-scope'
import type { UsageReader } from '../usage/usage-reader'
import { inParallel } from '../base/in-parallel'
import { startOfDay, type DayNumber } from './day'
import { createDeploymentTally, lookAtDeployment, type DeploymentTally } from './look-at-deployment'
import type { LookDeps } from './look-at'
import { lastDayOf } from './observed-days'
import { readDays } from './read-days'
import type { CapacityRun } from './run'

/**
 * Deployments that several tenants use. A cross-tenant reader (I4): it adds up what all of them used of a deployment, keeps the sums,
 * and nothing of who used what.
 */
export interface LookAtSharedDeps extends LookDeps {
  readonly usage: UsageReader
  /** Tenants that used anything in the span. */
  readonly tenantsWithUsage: (span: { fromMs: number; toMs: number }) => AsyncIterable<TenantId>
}

/** One whose only user is its owner is looked at with its owner. */
export const isShared = ({ ownerTenantId, sharedWith = [] }: Backend): boolean =>
  ownerTenantId === undefined || sharedWith.length > 0

const TENANTS_AT_ONCE = 8
/** Of a deployment that was never looked at: enough for a level, its growth and its weeks, where a year of everybody's would take hours. */
const FIRST_LOOK_DAYS = 60

/** Memory grows with the page, not with the tenants. */
export async function lookAtShared(
  deps: LookAtSharedDeps,
  page: readonly Backend[],
  { run, nowMs }: { run: CapacityRun; nowMs: number },
): Promise<void> {
  if (page.length === 0) return
  const { through } = run
  const tallies = new Map<string, DeploymentTally>(
    page.map((backend) => [backend.id, createDeploymentTally(backend, { nowMs, through })]),
  )
  const from = await firstDayOf(deps.store, page, through)
  const addUp = async (tenantId: TenantId) => {
    const scope = TenantScope.ofPlatform(tenantId)
    for await (const { startMs, groups } of readDays(deps.usage, scope, { from, through, nowMs }))
      for (const { group, sums } of groups) tallies.get(group.backend ?? '')?.add(startMs, group, sums)
  }
  let few: TenantId[] = []
  for await (const tenantId of deps.tenantsWithUsage({ fromMs: startOfDay(from), toMs: startOfDay(through + 1) })) {
    if (few.push(tenantId) < TENANTS_AT_ONCE) continue
    await inParallel(few, TENANTS_AT_ONCE, addUp)
    few = []
  }
  await inParallel(few, TENANTS_AT_ONCE, addUp)
  for (const backend of page) {
    const tally = tallies.get(backend.id)
    if (tally) await lookAtDeployment(deps, { backend, planned: undefined, tally, run })
  }
}

/** The first day of which any of them has still to be added up; the last one that is known is read again, as a tenant's is. */
async function firstDayOf(store: LookDeps['store'], page: readonly Backend[], through: DayNumber): Promise<DayNumber> {
  const firstLook = through - FIRST_LOOK_DAYS + 1
  let from = through
  for (const { id } of page) {
    const known = await store.days({ kind: 'deployment', backendId: id })
    from = Math.min(from, Math.max(firstLook, known ? lastDayOf(known) : firstLook))
  }
  return from
}
