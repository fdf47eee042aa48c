/**
 * What the platform itself counted in an hour at every deployment, over all tenants: a cross-tenant reader (I4). It reads sums of the
 * roll-up alone, and what it gives names deployments and no tenants.
 */
import type { BackendId, TenantId } from '../base/ids'
import { TenantScope } from '../storage/tenant-scope'
import type { GroupSums } from '../usage/usage-sums'
import { addCounted, nothingCounted, type CountedUse } from './counted-use'
import type { OurUse } from './explain-drift'

/** Of one backend's deployment in one hour. The deployment is as the calls named it, in lower case. */
export interface BackendUse {
  readonly backendId: BackendId
  readonly deployment: string
  readonly use: OurUse
}

export interface OurCountsDeps {
  /** Who used anything in a span. */
  readonly tenantsWithUsage: (span: Span) => AsyncIterable<TenantId>
  /** A tenant's sums, each call once. */
  readonly readUsage: (scope: TenantScope, span: Span) => AsyncIterable<{ readonly groups: readonly GroupSums[] }>
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

const HOUR_MS = 3_600_000
/** What operations of a batch’s lines begin with (src/batches/line-entry.ts). */
const BATCH_OPERATION = 'batch.'

/** Memory is bounded by the deployments of the platform, of which there are at most as many as backends; tenants pass by one at a time. */
export async function ourCounts(
  { tenantsWithUsage, readUsage }: OurCountsDeps,
  hourMs: number,
): Promise<readonly BackendUse[]> {
  const span = { fromMs: hourMs, toMs: hourMs + HOUR_MS }
  const tally = createTally()
  for await (const tenantId of tenantsWithUsage(span))
    for await (const { groups } of readUsage(TenantScope.ofPlatform(tenantId), span)) tally.add(groups)
  return tally.uses()
}

/** Sums of calls by backend and deployment; pure but for what it remembers. */
export function createTally(): { add(groups: readonly GroupSums[]): void; uses(): readonly BackendUse[] } {
  const found = new Map<string, { backendId: BackendId; deployment: string; counts: Counts; models: Set<string> }>()
  const unsettledOf = new Map<string, number>()
  const hedgedOf = new Map<string, number>()
  const add = ({ group, sums }: GroupSums) => {
    increase(unsettledOf, group.model, sums.unsettled)
    increase(hedgedOf, group.model, sums.hedgedTokens)
    if (group.backend === null || group.deployment === null) return
    const deployment = group.deployment.toLowerCase()
    const key = `${group.backend} ${deployment}`
    const known = found.get(key)
    const isServed = group.outcome === 'completed' || group.outcome === 'interrupted'
    const counted: CountedUse = {
      requests: isServed ? sums.calls : 0,
      promptTokens: sums.promptTokens,
      outputTokens: sums.outputTokens,
    }
    found.set(key, {
      backendId: group.backend as BackendId,
      deployment,
      counts: addCounts(known?.counts, {
        counted,
        batched: group.operation.startsWith(BATCH_OPERATION) ? counted : nothingCounted,
        estimatedCalls: sums.estimated,
        rejectedCalls: group.outcome === 'rejected' ? sums.calls : 0,
        cachedTokens: sums.cachedTokens,
      }),
      models: (known?.models ?? new Set<string>()).add(group.model),
    })
  }
  return {
    add: (groups) => groups.forEach(add),
    uses: () =>
      [...found.values()].map(({ backendId, deployment, counts, models }) => ({
        backendId,
        deployment,
        use: {
          ...counts,
          unsettledCalls: sumOf(models, unsettledOf),
          hedgedTokens: sumOf(models, hedgedOf),
        },
      })),
  }
}

/** What one deployment's groups say by themselves; what has no deployment yet is known by its model alone. */
type Counts = Omit<OurUse, 'unsettledCalls' | 'hedgedTokens'>

function addCounts(known: Counts | undefined, more: Counts): Counts {
  return {
    counted: addCounted(known?.counted ?? nothingCounted, more.counted),
    batched: addCounted(known?.batched ?? nothingCounted, more.batched),
    estimatedCalls: (known?.estimatedCalls ?? 0) + more.estimatedCalls,
    rejectedCalls: (known?.rejectedCalls ?? 0) + more.rejectedCalls,
    cachedTokens: (known?.cachedTokens ?? 0) + more.cachedTokens,
  }
}

function increase(sums: Map<string, number>, name: string, by: number): void {
  if (by !== 0) sums.set(name, (sums.get(name) ?? 0) + by)
}

const sumOf = (names: Iterable<string>, sums: ReadonlyMap<string, number>): number =>
  [...names].reduce((sum, name) => sum + (sums.get(name) ?? 0), 0)
