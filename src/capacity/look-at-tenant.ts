import type { BackendId } from '../base/ids'
import { createModelsPlans, type PlannedDeployment } from '../provisioning/models-plan'
import type { Backend } from '../routing/backend'
import { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import { budgetNames } from '../tenants/budget'
import { compileSnapshot } from '../tenants/compile-snapshot'
import type { TenantRecord } from '../tenants/tenant-record'
import type { UsageReader } from '../usage/usage-reader'
import { dayOf, type DayNumber } from './day'
import { createDayTally } from './day-tally'
import { createDeploymentTally, lookAtDeployment } from './look-at-deployment'
import { lookAt, type LookDeps } from './look-at'
import { HISTORY_DAYS_MAX, lastDayOf } from './observed-days'
import type { Limits, Outlook } from './outlook'
import { minutesFromDay, readDays } from './read-days'
import type { CapacityRun } from './run'

export interface LookAtTenantDeps extends LookDeps {
  readonly usage: UsageReader
  /** Where the platform's plans of tenants' own deployments lie: beside their records. */
  readonly tenantRows: TenantTable<Columns>
}

/** A tenant and the deployments that it alone uses, from one reading of its usage, on its own behalf (I4). */
export async function lookAtTenant(
  deps: LookAtTenantDeps,
  record: TenantRecord,
  { run, own, nowMs }: { run: CapacityRun; own: readonly Backend[]; nowMs: number },
): Promise<Outlook | undefined> {
  const { tenantId } = record
  const scope = TenantScope.ofPlatform(tenantId)
  const subject = { kind: 'tenant', tenantId } as const
  const known = await deps.store.days(subject)
  const from = readFrom(known && lastDayOf(known), { through: run.through, createdAt: record.createdAt })
  const tally = createDayTally({ minutesFromDay: minutesFromDay(nowMs), turnedAway: 'refused' })
  const mine = new Map(
    own.map((backend) => [backend.id as string, createDeploymentTally(backend, { nowMs, through: run.through })]),
  )
  for await (const { startMs, groups } of readDays(deps.usage, scope, { from, through: run.through, nowMs }))
    for (const { group, sums } of groups) {
      tally.add(startMs, group, sums)
      mine.get(group.backend ?? '')?.add(startMs, group, sums)
    }
  const limits = limitsOfTenant(record)
  const { through, generation } = run
  const outlook = await lookAt(deps, {
    subject,
    tally,
    limits,
    through,
    generation,
    title: record.displayName,
    tenantId,
  })
  const planned = own.length > 0 ? await plannedOf(deps.tenantRows, scope) : new Map<BackendId, PlannedDeployment>()
  for (const backend of own) {
    const used = mine.get(backend.id)
    if (used) await lookAtDeployment(deps, { backend, planned: planned.get(backend.id), tally: used, run })
  }
  return outlook
}

/** The last day that is known is read again: what belongs to it may have come to be known since (a batch's lines, a long call). */
function readFrom(
  lastDay: DayNumber | undefined,
  { through, createdAt }: { through: DayNumber; createdAt: number },
): DayNumber {
  const first = Math.max(through - HISTORY_DAYS_MAX + 1, dayOf(createdAt))
  return Math.max(first, lastDay ?? first)
}

function limitsOfTenant(record: TenantRecord): Limits {
  const { limits, budgets = {} } = compileSnapshot(record)
  const { requestsPerMinute, tokensPerMinute } = limits
  const held = budgetNames.flatMap((name) => (budgets[name] ? [[name, budgets[name].limit]] : []))
  return { requestsPerMinute, tokensPerMinute, ...Object.fromEntries(held) }
}

async function plannedOf(rows: TenantTable<Columns>, scope: TenantScope): Promise<Map<BackendId, PlannedDeployment>> {
  const plans = await createModelsPlans(rows).list(scope)
  return new Map(plans.flatMap(({ plan }) => plan.deployments.map((deployment) => [deployment.backendId, deployment])))
}
