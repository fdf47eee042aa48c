import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import { carryOut, type CarryOutDeps } from './carry-out'
import type { Finding } from './finding'
import type { NeighbourStore, StoredFinding } from './neighbour-store'
import type { NoisyPolicy, TenantPolicy } from './noisy-policy'
import { MINUTE_MS } from './pool-normal'

/** What operators see and decide of noisy neighbours. The list is a cross-tenant reader (I4), for operators alone. */
export interface NoisyNeighbours {
  /** In the order of their keys, which are cursors too. */
  page(page: { after: string | undefined; limit: number }): Promise<readonly StoredFinding[]>
  /** Undefined where there is no such tenant. */
  policy(scope: TenantScope): Promise<TenantPolicy | undefined>
  setPolicy(scope: TenantScope, policy: NoisyPolicy): Promise<TenantPolicy | undefined>
  /**
   * Ends every measure that holds the tenant back, at once, and keeps it from any for `holdMinutes`: operators are still told.
   * Answers what it is found to do, as it stands then; undefined where there is no such tenant.
   */
  lift(scope: TenantScope, lift: { holdMinutes: number }): Promise<Lifted | Problem | undefined>
}

export interface Lifted {
  readonly liftedToMs: number
  readonly findings: readonly Finding[]
}

export interface NoisyNeighboursDeps extends CarryOutDeps {
  readonly store: NeighbourStore
  readonly tenants: Pick<Tenants, 'get' | 'setMeasure'>
  readonly clock: Clock
}

/** Lost to the timer, which changes a finding once a minute. */
const ATTEMPTS_MAX = 5

export function createNoisyNeighbours(deps: NoisyNeighboursDeps): NoisyNeighbours {
  const { store, tenants, clock } = deps
  const isThere = async (scope: TenantScope) => (await tenants.get(scope)) !== undefined
  return {
    page: async ({ after, limit }) => {
      const page: StoredFinding[] = []
      for await (const stored of store.findings({ after })) if (page.push(stored) >= limit) break
      return page
    },
    policy: async (scope) => ((await isThere(scope)) ? store.policies.get(scope) : undefined),
    setPolicy: async (scope, policy) => {
      if (!(await isThere(scope))) return undefined
      await store.policies.put(scope, policy)
      return store.policies.get(scope)
    },
    lift: async (scope, { holdMinutes }) => {
      if (!(await isThere(scope))) return undefined
      const liftedToMs = clock.now() + holdMinutes * MINUTE_MS
      // First, so that a run of the timer meanwhile takes no new measure.
      await store.policies.lift(scope, liftedToMs)
      const findings: Finding[] = []
      for await (const stored of store.findings({ ofTenant: scope })) {
        const lifted = await liftOne(deps, stored, scope)
        if (lifted instanceof Problem) return lifted
        findings.push(lifted)
      }
      return { liftedToMs, findings }
    },
  }
}

async function liftOne(
  deps: NoisyNeighboursDeps,
  stored: StoredFinding,
  scope: TenantScope,
): Promise<Finding | Problem> {
  const { policy } = await deps.store.policies.get(scope)
  let current: StoredFinding | undefined = stored
  for (let attempt = 0; attempt < ATTEMPTS_MAX && current; attempt++) {
    const { finding, etag, key }: StoredFinding = current
    const { ladder } = finding
    if (!ladder || (ladder.rung === 'notify' && !finding.due)) return finding
    const atMs = deps.clock.now()
    const due = { from: ladder.rung, to: 'notify', why: 'not-allowed', atMs } as const
    const decided: Finding = { ...finding, ladder: { rung: 'notify', sinceMs: atMs, quarantines: 0 }, due }
    const written = await deps.store.putFinding(decided, etag)
    if (written !== undefined) {
      const done = await carryOut(deps, decided, { policy, mayBeDone: true })
      // Where the timer is faster, it finds the same due and does the same.
      await deps.store.putFinding(done, written)
      return done
    }
    current = await again(deps.store, scope, key)
  }
  return new Problem('conflict', 'The finding is being changed at the moment. Try again.')
}

async function again(store: NeighbourStore, scope: TenantScope, key: string): Promise<StoredFinding | undefined> {
  for await (const stored of store.findings({ ofTenant: scope })) if (stored.key === key) return stored
  return undefined
}
